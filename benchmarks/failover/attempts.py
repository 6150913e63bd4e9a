"""What the application tried at which server: written by its processes, read by the benchmark."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")

_OK, _FAILED = "ok", "failed"


class Kind(StrEnum):
    CONNECT = "connect"
    CHECK = "check"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that the application tried at one server.

    begun, ended: on the monotonic clock, which all processes of a machine share; ended is infinite while it lasts.
    """

    alias: str
    kind: Kind
    begun: float
    ended: float = float("inf")
    is_ok: bool = False


class Recorder:
    """Appends to a file of this process in a folder; None records nothing. Threads may share it.

    Each line is written at once, that of an attempt's begin before it begins: a process that hangs or is killed has
    told all the same.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._process = 0
        self._file = -1

    def note(self, alias: str, kind: Kind, act: Callable[[], Answer]) -> Answer:
        """Do it and return its answer. What raises, or answers False, has failed."""
        number, outcome = next(self._numbers), _FAILED
        self._write(f"{number} {time.monotonic():.6f} {alias} {kind}\n")
        try:
            answer = act()
            if answer is not False:
                outcome = _OK
            return answer
        finally:
            self._write(f"{number} {time.monotonic():.6f} {outcome}\n")

    def _write(self, line: str) -> None:
        if self._folder is None:
            return
        if self._process != os.getpid():
            # A fork shares the file of its parent until it writes.
            path = self._folder / f"{os.getpid()}.log"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            self._process = os.getpid()
        os.write(self._file, line.encode())


class Log:
    """All attempts that were recorded in a folder. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}
        self._under_way: dict[tuple[Path, str], Attempt] = {}
        self._ended: list[Attempt] = []

    def attempts(self) -> list[Attempt]:
        """Return those so far, in no order. Only what is new is read."""
        for path in self._folder.glob("*.log"):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                # The last line may be half written.
                lines, _, _ = file.read().rpartition(b"\n")
            if lines:
                self._read[path] = self._read.get(path, 0) + len(lines) + 1
                self._take(path, lines.decode().split("\n"))
        return [*self._ended, *self._under_way.values()]

    def _take(self, path: Path, lines: Iterable[str]) -> None:
        for line in lines:
            match line.split():
                case number, at, alias, kind:
                    self._under_way[path, number] = Attempt(alias, Kind(kind), float(at))
                case number, at, outcome:
                    begun = self._under_way.pop((path, number))
                    self._ended.append(replace(begun, ended=float(at), is_ok=outcome == _OK))
