"""What the web workers hold: connections as the servers count them, memory and files as the kernel does."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from types import TracebackType
from typing import Self

import psycopg

from benchmarks.failover.site import ALIASES, Site
from benchmarks.failover.stack import DATABASE, PROJECT
from demo.cluster.processes import living

PERIOD_SECONDS = 2.0
_STOP_SECONDS = 30.0
_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name <> 'readshift-observer'"
_OF_ITS_OWN = ("Private_Clean:", "Private_Dirty:")


@dataclass(frozen=True, slots=True)
class Reading:
    """One look. connections: alias to the number of them; a server that cannot be asked is missing."""

    at: float
    connections: Mapping[str, int]
    memory_mb: float
    files: int


@dataclass(frozen=True, slots=True)
class Growth:
    """A quantity in the first and in the last third of a run, and at most."""

    first: float
    last: float
    most: float


class Gauges:
    """A thread that looks from time to time, from entering the context to leaving it."""

    def __init__(self, site: Site) -> None:
        self.readings: list[Reading] = []
        self._site = site
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="gauges", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD_SECONDS):
            pids = list(web_workers())
            self.readings.append(
                Reading(
                    time.monotonic(),
                    dict(self._connections()),
                    sum(map(private_memory_mb, pids)),
                    sum(map(open_files, pids)),
                )
            )

    def _connections(self) -> Iterator[tuple[str, int]]:
        for alias in ALIASES:
            server = self._site.server(alias)
            with suppress(psycopg.Error):
                if server.is_running and not server.is_hung:
                    ((count,),) = server.query(_CONNECTIONS, [DATABASE])
                    yield alias, count


def web_workers() -> Iterator[int]:
    """Return the processes that serve the project's pages. Their parent, which only looks after them, is left out."""
    web = [process for process in living() if PROJECT.web in process.command]
    pids = {process.pid for process in web}
    return (process.pid for process in web if process.parent in pids)


def private_memory_mb(pid: int) -> float:
    """Return the memory that a process shares with nobody, in megabytes; 0 when it has just ended."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(_OF_ITS_OWN)) / 1024
    return 0.0


def open_files(pid: int) -> int:
    """Return how many files a process has open; 0 when it has just ended."""
    with suppress(OSError):
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return 0


def growth(values: Sequence[tuple[float, float]], begin: float, end: float) -> Growth | None:
    """Return how a quantity of (time, value) pairs grew between two times; None when a third of them has no value."""
    third = (end - begin) / 3
    first = [value for at, value in values if begin <= at < begin + third]
    last = [value for at, value in values if end - third <= at <= end]
    if not first or not last:
        return None
    return Growth(median(first), median(last), max(value for _, value in values))
