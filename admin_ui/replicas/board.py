"""The replicas as the dashboard lists them: how one process sees them, and which of them are drained."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b


class State(StrEnum):
    """Whether the process lets a replica serve. The value names the CSS class. UNKNOWN: it has never asked it."""

    SERVES = "serves"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Drain:
    """Who took a replica out of service, for how long that is so, and why. by and reason may be empty."""

    alias: str
    by: str
    reason: str
    at: datetime
    lasts: str

    @property
    def words(self) -> str:
        """What it means, to continue a replica's name."""
        by = f" by {self.by}" if self.by else ""
        reason = f" (“{self.reason}”)" if self.reason else ""
        return f"is drained{by}{reason}"


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """One replica.

    words: how it stands, to continue its name. detail: what is known about the cause. since: how long that is so, or
    empty. lag: how far it is behind, in words. drain: None unless it is drained.
    is_last: whether it serves and no other replica of its pool does.
    """

    alias: str
    pool: str
    weight: int
    state: State
    words: str
    detail: str
    since: str
    lag: str
    drain: Drain | None
    is_last: bool = False

    @property
    def may_serve(self) -> bool:
        """Whether reads may go to it, as far as is known: one that was never asked may be fit."""
        return self.state is not State.OUT and self.weight > 0 and self.drain is None

    @property
    def cost(self) -> str:
        """What draining it does to its whole pool, or empty."""
        if not self.is_last:
            return ""
        return f"It alone serves the pool “{self.pool}”. While it is drained, the reads of that pool go to the primary."

    @property
    def key(self) -> str:
        """A name for its element on the page. An alias may be any text."""
        return blake2b(self.alias.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One primary and its replicas, in the order of the setting.

    trouble: what is wrong with the primary, to continue its name, or empty. moved: what a failover changed, or empty.
    """

    primary: str
    replicas: tuple[ReplicaRow, ...]
    trouble: str = ""
    moved: str = ""

    @property
    def idle_pools(self) -> tuple[str, ...]:
        """The pools of which no replica serves."""
        pools = dict.fromkeys(row.pool for row in self.replicas)
        serving = {row.pool for row in self.replicas if row.may_serve}
        return tuple(pool for pool in pools if pool not in serving)


@dataclass(frozen=True, slots=True)
class Board:
    """All replicas as one process sees them.

    process: which one. note: why it asks no server, or empty. strays: drained aliases that are no replica any more.
    """

    process: str
    note: str
    clusters: tuple[ClusterRow, ...]
    strays: tuple[Drain, ...]

    @property
    def rows(self) -> tuple[ReplicaRow, ...]:
        return tuple(row for cluster in self.clusters for row in cluster.replicas)

    def row(self, alias: str) -> ReplicaRow | None:
        """Return the replica of this alias, or None."""
        return next((row for row in self.rows if row.alias == alias), None)

    @property
    def problems(self) -> tuple[str, ...]:
        """Which primaries are not well, which replicas do not serve undrained, and which pools are left without one."""
        primaries = (
            f"The primary “{cluster.primary}” {cluster.trouble}." for cluster in self.clusters if cluster.trouble
        )
        unfit = (
            f"The replica “{row.alias}” does not serve, as the process that shows this page sees it: it {row.words}."
            for row in self.rows
            if row.state is State.OUT and row.drain is None
        )
        idle = (
            f"No replica of the pool “{pool}” serves, so its reads fall back to the primary “{cluster.primary}”."
            for cluster in self.clusters
            for pool in cluster.idle_pools
        )
        return (*primaries, *unfit, *idle)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which replicas are drained, and which primaries were failed over since this process began."""
        moves = (f"The primary “{row.primary}” was failed over: {row.moved}." for row in self.clusters if row.moved)
        drains = (
            f"The replica “{row.alias}” {row.drain.words}: it serves no reads until somebody lets it serve again."
            for row in self.rows
            if row.drain is not None
        )
        return (*drains, *moves)
