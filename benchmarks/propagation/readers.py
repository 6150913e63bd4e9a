"""Clients that keep every worker process busy at a steady pace, each on a connection to one of them."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from threading import Event, Thread
from types import TracebackType
from typing import Self

from benchmarks.processes import ProcessError
from demo.waiting import wait_until

PER_WORKER = 1
PERIOD_SECONDS = 0.2
_TIMEOUT_SECONDS = 30.0
_FIND_SECONDS = 60.0
_WAIT_SECONDS = 60.0


class Reader:
    """One connection, which a worker process keeps, and the thread that asks for the page on it.

    pid: the process that serves it. latest: when the last request that was answered began, and where it was read.
    """

    def __init__(self, port: int) -> None:
        self._http = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
        self.latest: tuple[float, frozenset[str]] = (0.0, frozenset())
        self.pid = self._ask()

    def run(self, stopped: Event, offset: float) -> None:
        """Ask until told to stop. Raises what goes wrong."""
        due = time.monotonic() + offset
        while not stopped.wait(max(0.0, due - time.monotonic())):
            if self._ask() != self.pid:
                raise ProcessError(f"Another process than {self.pid} has answered on its connection.")
            due = max(due + PERIOD_SECONDS, time.monotonic())

    def close(self) -> None:
        self._http.close()

    def _ask(self) -> int:
        began = time.monotonic()
        self._http.request("GET", "/page")
        response = self._http.getresponse()
        body = response.read()
        if response.status != HTTPStatus.OK:
            raise ProcessError(f"The page was answered with status {response.status}: {body[:200]!r}.")
        answer = json.loads(body)
        self.latest = (began, frozenset(answer["servers"]))
        pid: int = answer["pid"]
        return pid


class Readers:
    """`PER_WORKER` readers of each worker of these web servers, from entering the context to leaving it.

    Raises `TimeoutError` when the servers have fewer workers than they should.
    """

    def __init__(self, ports: Sequence[int], workers: int) -> None:
        self._stopped = Event()
        self._broken: list[Exception] = []
        self._readers = [reader for port in ports for reader in _find(port, workers)]
        total = len(self._readers)
        self._threads = [
            Thread(target=self._run, args=(reader, number * PERIOD_SECONDS / total), name=f"reader-{number}")
            for number, reader in enumerate(self._readers)
        ]

    @property
    def workers(self) -> frozenset[int]:
        """The processes that are kept busy."""
        return frozenset(reader.pid for reader in self._readers)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_SECONDS)

    def wait_until_all_read(self, alias: str) -> None:
        """Return when every reader was served by this database alone, from now on. Raises what ended a reader."""
        since = time.monotonic()

        def all_do() -> bool:
            if self._broken:
                raise self._broken[0]
            return all(began >= since and servers == {alias} for began, servers in (r.latest for r in self._readers))

        wait_until(all_do, _WAIT_SECONDS, f"all workers to read from {alias}")

    def _run(self, reader: Reader, offset: float) -> None:
        try:
            reader.run(self._stopped, offset)
        except (ProcessError, OSError, HTTPException) as error:
            self._broken.append(error)
        finally:
            reader.close()


def _find(port: int, workers: int) -> list[Reader]:
    """Connect until every worker of this web server has its readers: the system chooses who accepts a connection."""
    found: list[Reader] = []
    spare: list[Reader] = []
    counts: Counter[int] = Counter()

    def are_complete() -> bool:
        reader = Reader(port)
        is_needed = counts[reader.pid] < PER_WORKER
        (found if is_needed else spare).append(reader)
        counts[reader.pid] += is_needed
        return len(found) == workers * PER_WORKER

    try:
        wait_until(are_complete, _FIND_SECONDS, f"{workers} workers to serve port {port}")
    finally:
        for reader in spare:
            reader.close()
    return found
