"""Decisions for a replica that are given again at no cost, until anything changes on which they rest.

The router gives one again after a few comparisons. What those leave out is looked at on the wire, just before the
statement is sent; a read whose decision no longer holds there is decided anew, and run where that one says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from rollout.options import Cluster
from routers.arms import Membership
from routers.decisions import Asked
from routers.departures import Seat
from routers.footing import footing
from routers.series import Series
from routers.unit import Unit

_MOST_JUDGED = 32
"""Statements that are recognized by their text. Code that builds its own for every value would fill the memory."""


class Marks(NamedTuple):
    """What held when a decision was begun. process: for all units, by `footing`. unit: for this one, by its trail."""

    process: object
    unit: object


@dataclass(slots=True, eq=False, kw_only=True)
class Remembered(Asked):
    """The router's answer for a model in a unit and its block, with what it rests on.

    series, members, number, settled: what is counted for each statement that `reading.read_again` sends. alias: the
    replica. seat: that of the thread which decided, since connections are a thread's own. marks: what held before it
    decided. until: when it ceases to hold whatever happens, on the monotonic clock, since nothing is known of a replica
    for longer. primary, replica: the thread's connections, of which other fields tell how they stood. judged:
    statements that were sent because of it, and are reads. cursor: the kind of the driver's cursors that sent them.
    """

    cluster: Cluster
    seat: Seat
    marks: InitVar[Marks]
    until: float
    primary: BaseDatabaseWrapper
    replica: BaseDatabaseWrapper
    series: Sequence[Series]
    members: Sequence[Membership]
    number: int = field(default=0, init=False)
    settled: int = field(default=0, init=False)
    judged: set[str] = field(default_factory=set, init=False)
    cursor: type | None = field(default=None, init=False)
    alias: str = field(init=False)
    process_mark: object = field(init=False)
    unit_mark: object = field(init=False)
    replica_session: object = field(init=False)
    autocommit: bool = field(init=False)
    depth: int = field(init=False)
    is_captured: bool = field(init=False)

    def __post_init__(self, marks: Marks) -> None:
        Asked.__post_init__(self)
        self.alias, terms = self.decision.alias, self.decision.terms
        self.is_captured = terms is not None and bool(terms.captured_by)
        self.process_mark, self.unit_mark = marks
        self.replica_session = self.replica.connection
        self.autocommit, self.depth = self.primary.autocommit, len(self.primary.atomic_blocks)

    def covers(self, hints: Mapping[str, Any]) -> bool:
        """Say whether it also answers on behalf of this object, which may live in another cluster."""
        instance = hints.get("instance")
        return (
            not isinstance(instance, Model) or instance._state.db is None or instance._state.db in self.cluster.aliases
        )

    def judge(self, sql: object, cursor: type) -> None:
        """Take down a read that was sent because of this answer, by this kind of the driver's cursors."""
        if isinstance(sql, str) and len(self.judged) < _MOST_JUDGED:
            self.judged.add(sql)
            self.cursor = cursor

    def holds(self, unit: Unit, now: float) -> bool:
        """Say whether a read of this unit, in the thread of its seat, would be decided the same now.

        It runs with every read, so it compares what may have changed and calls nothing that looks for it.
        """
        primary = self.primary
        return (
            self.process_mark is footing.mark
            and self.unit_mark is unit.trail.mark
            and not unit.is_deciding
            and now < self.until
            and primary.autocommit is self.autocommit
            and len(primary.atomic_blocks) == self.depth
        )
