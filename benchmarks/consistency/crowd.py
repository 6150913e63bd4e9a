"""All clients of one run at work."""

import time
from collections.abc import Sequence
from itertools import cycle
from threading import Thread
from types import TracebackType
from typing import Self

from benchmarks.consistency.client import Client
from benchmarks.consistency.topology import Entrance

_STOP_SECONDS = 60.0


class Crowd:
    """The clients, from entering the context to leaving it.

    Each thread looks after several of them and lets one after the other act, so that as many operations are under way
    as there are threads, and a client acts as seldom as a person does.
    """

    def __init__(self, clients: Sequence[Client], threads: int, entrance: Entrance) -> None:
        self._entrance = entrance
        self._is_over = False
        shares = [clients[number::threads] for number in range(threads)]
        self._threads = [Thread(target=self._run, args=[share], name="clients", daemon=True) for share in shares]
        self._broken: list[Exception] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def check(self) -> None:
        """Raise what ended a client that should still be at work."""
        if self._broken:
            raise self._broken[0]

    def _run(self, clients: Sequence[Client]) -> None:
        try:
            for client in cycle(clients):
                if self._is_over:
                    return
                with self._entrance.passage():
                    client.act()
                client.pause()
        except Exception as error:  # noqa: BLE001 - kept for the runner, which raises it
            self._broken.append(error)
        finally:
            for client in clients:
                client.close()
