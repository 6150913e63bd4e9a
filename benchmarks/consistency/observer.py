"""Where the reads went, and how far the standbys were behind, asked of the servers themselves."""

import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psycopg

from benchmarks.consistency.topology import Topology
from demo.cluster import Server

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

PERIOD_SECONDS = 0.25
LOW_LAG_SECONDS = 1.0
_STOP_SECONDS = 10.0
_LOOKS_KEPT = 10_000

# A write reads its row with FOR UPDATE, which only the primary can do.
_LOOK = """
    SELECT
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn,
        (
            SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
            WHERE query LIKE 'SELECT %"consistency\\_%' AND query NOT LIKE '%FOR UPDATE%'
        )
"""


@dataclass(slots=True)
class Reads:
    """How many reads of the application the primary and the standbys served."""

    primary: int = 0
    standbys: int = 0

    @property
    def replica_share(self) -> float | None:
        """The share of the standbys, or None when nothing was read."""
        total = self.primary + self.standbys
        return self.standbys / total if total else None


class Observer:
    """A thread that looks at every server four times a second.

    The lag of a standby is the age of the oldest look at the primary whose position it has not replayed; one that
    cannot be asked has no lag that is known. A period counts as one of low lag when at both of its ends every standby
    was less than `LOW_LAG_SECONDS` behind. What a server counted in the period before it was killed is lost.
    """

    def __init__(self, topology: Topology, servers: Iterable[Server]) -> None:
        self.overall, self.low_lag = Reads(), Reads()
        self.low_lag_seconds = 0.0
        self.greatest_lag = 0.0
        self._topology = topology
        self._servers = tuple(servers)
        self._connections: dict[str, psycopg.Connection[TupleRow]] = {}
        self._counts: dict[str, int] = {}
        self._positions: deque[tuple[float, int]] = deque(maxlen=_LOOKS_KEPT)
        self._was_low = False
        self._last_look = time.monotonic()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="observer", daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self.overall, self.low_lag, self.low_lag_seconds = Reads(), Reads(), 0.0
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)
        for connection in self._connections.values():
            connection.close()

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD_SECONDS):
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        primary, standbys = self._topology.primary, tuple(self._topology.standbys)
        reads = Reads()
        positions: dict[str, int] = {}
        for server in self._servers:
            answer = self._ask(server)
            if answer is None:
                continue
            positions[server.name], count = answer
            before = self._counts.get(server.name, 0)
            # A server that was killed counts from zero.
            more = count - before if count >= before else count
            self._counts[server.name] = count
            if server is primary:
                reads.primary += more
            else:
                reads.standbys += more
        if primary.name in positions:
            self._positions.append((now, positions[primary.name]))
        self._account(reads, [self._lag(positions.get(standby.name), now) for standby in standbys], now)

    def _account(self, reads: Reads, lags: list[float | None], now: float) -> None:
        known = [lag for lag in lags if lag is not None]
        is_low = len(known) == len(lags) and all(lag < LOW_LAG_SECONDS for lag in known)
        self.greatest_lag = max(self.greatest_lag, *known) if known else self.greatest_lag
        for tally in (self.overall, self.low_lag) if is_low and self._was_low else (self.overall,):
            tally.primary += reads.primary
            tally.standbys += reads.standbys
        if is_low and self._was_low:
            self.low_lag_seconds += now - self._last_look
        self._was_low, self._last_look = is_low, now

    def _lag(self, replayed: int | None, now: float) -> float | None:
        if replayed is None:
            return None
        missing = (at for at, position in self._positions if position > replayed)
        return now - next(missing, now)

    def _ask(self, server: Server) -> tuple[int, int] | None:
        """Return a server's position and its count of reads, or None when it does not answer."""
        if not server.is_running:
            return None
        with suppress(psycopg.Error):
            connection = self._connections.get(server.name)
            if connection is None or connection.closed:
                connection = self._connections[server.name] = server.connect()
                connection.execute("SET pg_stat_statements.track = 'none'")
            row = connection.execute(_LOOK).fetchone()
            return None if row is None or row[0] is None else (int(row[0]), int(row[1]))
        if broken := self._connections.pop(server.name, None):
            broken.close()
        return None
