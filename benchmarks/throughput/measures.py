"""What the servers themselves tell: the reads that they ran, and the processor time that they took."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from psycopg import Connection

from benchmarks.shares import Group
from demo.cluster import Server
from demo.cluster.processes import children

# On the shop's tables, as the ORM quotes them. Locks for foreign keys are the server's own.
_READS = """
SELECT coalesce(sum(calls), 0)::bigint, clock_timestamp() FROM pg_stat_statements
WHERE query LIKE 'SELECT%' AND query LIKE '%"shop\\_%' AND query NOT LIKE '% FROM ONLY %'
"""

# Fields of /proc/PID/stat after the name: in user mode and in the kernel, of the children that it reaped.
_REAPED = slice(13, 15)
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one server had done until a moment, by its own clock. used_seconds: of the processor."""

    at: datetime
    reads: int
    used_seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """What one server did in a window. reads: in a second. processors: how many it kept busy."""

    reads: float
    processors: float


def work(before: Snapshot, after: Snapshot) -> Work:
    """Return what a server did between two snapshots. Pure."""
    seconds = (after.at - before.at).total_seconds()
    return Work((after.reads - before.reads) / seconds, (after.used_seconds - before.used_seconds) / seconds)


class Meters:
    """One connection to each server, so that looking costs them next to nothing. groups: what holds them, if any."""

    def __init__(self, servers: Sequence[Server], groups: Sequence[Group], connections: Sequence[Connection[Any]]):
        self._servers, self._groups, self._connections = servers, groups, connections
        self._pool = ThreadPoolExecutor(len(servers))

    def read(self) -> list[Snapshot]:
        """Look at all servers at the same time. One that is busy answers later, and is measured until then."""
        return list(self._pool.map(self._look, range(len(self._servers))))

    def _look(self, number: int) -> Snapshot:
        row = self._connections[number].execute(_READS).fetchone()
        reads, at = cast("tuple[int, datetime]", row)
        return Snapshot(at, reads, self._used_seconds(number))

    def _used_seconds(self, number: int) -> float:
        if self._groups:
            return self._groups[number].used_seconds()
        return tree_seconds(self._servers[number].pid or 0)


def tree_seconds(pid: int) -> float:
    """Return how much processor time a process and its children took so far, those that have ended included."""
    reaped = sum(map(int, Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[_REAPED]))
    living = 0
    for each in (pid, *children(pid)):
        # One that ends in between is told of by its parent.
        with suppress(FileNotFoundError, ProcessLookupError):
            living += int(Path(f"/proc/{each}/schedstat").read_text().split()[0])
    return reaped / os.sysconf("SC_CLK_TCK") + living / _NANOSECONDS


@contextmanager
def meters(servers: Sequence[Server], groups: Sequence[Group]) -> Iterator[Meters]:
    """Open the meters of these servers."""
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(server.connect())) for server in servers]
        yield Meters(servers, groups, connections)
