"""What the comparisons of one rule or one statement found, as values. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from rollout.intervals import Interval, wilson
from rollout.outcomes import Outcome, ShadowCause


@dataclass(frozen=True, slots=True)
class CauseCount:
    """How many comparisons ended with one outcome for one cause; the cause is empty where there is none to name."""

    outcome: str
    cause: str
    count: int

    @property
    def is_volatile(self) -> bool:
        """Whether nothing can be said because the statement need not answer the same twice."""
        return self.outcome == Outcome.INCONCLUSIVE and self.cause == ShadowCause.NONDETERMINISTIC


@dataclass(frozen=True, slots=True)
class Counts:
    """Comparisons by outcome. volatile: those that say nothing, because the statement need not answer the same twice.

    `inconclusive` is without them: they are the noise of the application, and no fault of a server.
    """

    equal: int = 0
    caught_up: int = 0
    divergent: int = 0
    inconclusive: int = 0
    error: int = 0
    volatile: int = 0

    @classmethod
    def of(cls, causes: Iterable[CauseCount]) -> Self:
        """Add up counts by cause."""
        sums = dict.fromkeys((*Outcome.values, "volatile"), 0)
        for one in causes:
            sums["volatile" if one.is_volatile else one.outcome] += one.count
        return cls(**sums)

    @property
    def compared(self) -> int:
        """Those that ended with an answer: the servers agree, or they do not."""
        return self.equal + self.caught_up + self.divergent

    @property
    def failed(self) -> int:
        """Those that should have ended with an answer, and did not."""
        return self.inconclusive + self.error

    @property
    def total(self) -> int:
        return self.compared + self.failed + self.volatile


@dataclass(frozen=True, slots=True)
class StaleShare:
    """The share of reads that a replica would have answered with older data, 0 to 1, and its 95 % bounds.

    Those are the reads that were equal only once the replica had caught up, among all that were equal in the end.
    """

    share: float
    bounds: Interval

    @classmethod
    def of(cls, counts: Counts) -> Self | None:
        """Return None where nothing was equal."""
        whole = counts.equal + counts.caught_up
        return cls(counts.caught_up / whole, wilson(counts.caught_up, whole)) if whole else None


@dataclass(frozen=True, slots=True)
class Staleness:
    """By how many milliseconds the answers that were stale were so."""

    p50: float
    p95: float
    max: float


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the statements took on both sides, in milliseconds, of reads that both sides answered.

    ratio: of the medians, replica to primary; None where the primary's is 0.
    """

    primary_p50: float
    primary_p95: float
    replica_p50: float
    replica_p95: float
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found about one rule, or about one statement of it.

    causes: the most frequent first, volatile statements included, equal answers not. first_seen, last_seen: when the
    first and the last of these reads were compared. examples: ids of reads that were not equal, the gravest first and
    the newest of them.
    """

    counts: Counts = Counts()
    causes: tuple[CauseCount, ...] = ()
    stale: StaleShare | None = None
    staleness: Staleness | None = None
    latency: Latency | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    examples: tuple[int, ...] = ()


def cause_words(cause: str) -> str:
    """Say a cause within a sentence. One that this release does not know is said by its code."""
    label = str(ShadowCause(cause).label) if cause in ShadowCause.values else cause
    return label[:1].lower() + label[1:]
