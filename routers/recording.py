"""What goes over the wire, written down for whoever looks at one request. Where nobody looks, nothing is kept."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from routers.series import Series

MOST_QUERIES = 500
"""How many queries of a request are kept. The others are counted."""


class Query(NamedTuple):
    """One query. series: what it was counted under. sql: as it was given, without its parameters. seconds: it took."""

    series: Series
    sql: object
    seconds: float


@dataclass(slots=True)
class Recording:
    """The queries of one request, in the order in which they ended. totals: all of them by what they count under."""

    queries: list[Query] = field(default_factory=list)
    totals: Counter[Series] = field(default_factory=Counter)

    def note(self, series: Series, sql: object, seconds: float) -> None:
        """Take down a query that has ended, failed or not."""
        self.totals[series] += 1
        if len(self.queries) < MOST_QUERIES:
            self.queries.append(Query(series, sql, seconds))

    def counts(self) -> Counter[Series]:
        """Return the totals as they are now: queries of other threads may end while they are looked at."""
        return self.totals.copy()

    @property
    def left_out(self) -> int:
        """How many queries were counted and not kept."""
        return self.counts().total() - len(self.queries)


_recordings: ContextVar[tuple[Recording, ...]] = ContextVar("readshift_recordings", default=())


recordings = _recordings.get
"""Return what takes down the queries of this code."""


def begin() -> Recording:
    """Take down the queries of this code, of what it calls and of what it starts in other threads, until `end`."""
    recording = Recording()
    _recordings.set((*_recordings.get(), recording))
    return recording


def end(recording: Recording) -> None:
    """Take down no more. Does nothing the second time."""
    _recordings.set(tuple(one for one in _recordings.get() if one is not recording))


@contextmanager
def recorded() -> Iterator[Recording]:
    """Take down the queries of a block."""
    recording = begin()
    try:
        yield recording
    finally:
        end(recording)
