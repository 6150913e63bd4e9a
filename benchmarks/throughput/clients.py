"""Processes that serve one system's visitors, each with many threads, in a closed loop: no visitor thinks."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.throughput.content import Content
from benchmarks.throughput.crowd import PROCESSES, Crowd

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_STOP_SECONDS = 10.0

_context = get_context("forkserver")
_context.set_forkserver_preload(["django.core.handlers.wsgi", "django.db.backends.postgresql.base", "demo.shop.apps"])


class ClientsError(RuntimeError):
    """Clients did not do their part. The message says which, and what they said."""


class Clients:
    """All processes of one system. They rest until told to go, and read nothing and ask nobody meanwhile."""

    def __init__(self, system: str, variables: Mapping[str, str], content: Content, logs: Path) -> None:
        self.system = system
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []
        for number in range(PROCESSES):
            here, there = _context.Pipe()
            log = logs / f"{system}-{number}.log"
            process = _context.Process(target=_live, args=(number, variables, content, log, there), daemon=True)
            self._pipes.append(here)
            self._processes.append(process)

    @contextmanager
    def alive(self) -> Iterator["Clients"]:
        """Have the processes live as long as this block."""
        for process in self._processes:
            process.start()
        try:
            yield self
        finally:
            for process in self._processes:
                process.terminate()
            for process in self._processes:
                process.join(_STOP_SECONDS)

    def tell(self, *order: Any) -> list[Any]:
        """Give all processes an order, and return what they answer. Raises `ClientsError` when one ended."""
        try:
            for pipe in self._pipes:
                pipe.send(order)
            answers = [pipe.recv() for pipe in self._pipes]
        except (EOFError, OSError) as error:
            raise ClientsError(f"A process of {self.system} ended when told {order}.") from error
        for answer in answers:
            if isinstance(answer, str):
                raise ClientsError(f"{self.system}, told {order}: {answer}")
        return answers


def _live(number: int, variables: Mapping[str, str], content: Content, log: Path, pipe: Connection) -> None:
    """Do what is told until the pipe is closed."""
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(variables)
    crowd = Crowd(number, content, variables["SYSTEM"])
    while True:
        try:
            order, *arguments = pipe.recv()
            answer = getattr(crowd, order)(*arguments)
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever gave the order must hear of it
            answer = f"{type(error).__name__}: {error}"
        pipe.send(answer)
