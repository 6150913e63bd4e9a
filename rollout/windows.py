"""What a staged rollout saw in a few seconds: counts of either arm, small enough to be stored. Pure."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

STEPS_PER_DOUBLING = 5
BUCKETS = 94
_SHORTEST_SECONDS = 0.0001
_EDGES = tuple(_SHORTEST_SECONDS * 2 ** (step / STEPS_PER_DOUBLING) for step in range(BUCKETS - 1))
_NO_DURATIONS = (0,) * BUCKETS


def bucket_of(seconds: float) -> int:
    """Return the bucket of a duration. Each begins where the one before ends, 15 % later: 0.1 ms to 35 s."""
    return bisect_right(_EDGES, seconds)


def begin_of(bucket: int) -> float:
    """Return the shortest duration that belongs to a bucket, in seconds. The first one begins at 0."""
    return _EDGES[min(bucket, BUCKETS - 1) - 1] if bucket > 0 else 0.0


def histogram(durations: Iterable[float]) -> tuple[int, ...]:
    """Return how many of the durations, in seconds, belong to each bucket."""
    counts = [0] * BUCKETS
    for seconds in durations:
        counts[bucket_of(seconds)] += 1
    return tuple(counts)


def percentile(counts: tuple[int, ...], share: float) -> int:
    """Return the bucket with the duration that so large a share of all exceed, or the first one if there are none.

    It and all after it hold more than that share, and those after it no more.
    """
    most, held = share * sum(counts), 0
    for bucket in range(len(counts) - 1, -1, -1):
        held += counts[bucket]
        if held > most:
            return bucket
    return 0


@dataclass(frozen=True, slots=True)
class Arm:
    """The units of work (requests, tasks) of which one server's reads were decided, over a span of time.

    Attributes:
        units: how many ended.
        failed: how many of them failed.
        durations: how many took how long, see `histogram`. Units whose duration is not known are in none of them.

    Raises ValueError when more units failed than there are, or the durations have other buckets.
    """

    units: int = 0
    failed: int = 0
    durations: tuple[int, ...] = _NO_DURATIONS

    def __post_init__(self) -> None:
        if not 0 <= self.failed <= self.units:
            raise ValueError(f"{self.failed} failures of {self.units} units cannot be. Count each unit once.")
        if len(self.durations) != BUCKETS:
            raise ValueError(f"{len(self.durations)} buckets of durations, not {BUCKETS}. Build them with histogram().")

    def __add__(self, other: "Arm") -> "Arm":
        return Arm(
            self.units + other.units,
            self.failed + other.failed,
            tuple(map(int.__add__, self.durations, other.durations)),
        )


NO_UNITS = Arm()


@dataclass(frozen=True, slots=True)
class Window:
    """What arrived in one span of a rollout. Spans follow each other and may be of any length.

    Attributes:
        stage: number of the stage that it belongs to. A span never reaches over two.
        replica: the units that the rollout sent to replicas. Those that fell back count here too.
        primary: the units of the same path that it left on the primary, and no others: what is sent there for another
            reason (a token, a transaction) is other work, and no comparison.
        compared: shadow reads whose comparison said something.
        stale: how many of them were stale.
        divergent: how many of them diverged.
        reads: reads that were meant for a replica.
        fallbacks: how many of them fell back to the primary.
        lag_seconds: of the replica that is furthest behind among the fit ones, or None if it is not known.
    """

    stage: int
    replica: Arm = NO_UNITS
    primary: Arm = NO_UNITS
    compared: int = 0
    stale: int = 0
    divergent: int = 0
    reads: int = 0
    fallbacks: int = 0
    lag_seconds: float | None = None

    def __post_init__(self) -> None:
        for name, part, whole in (
            ("stale", self.stale, self.compared),
            ("divergent", self.divergent, self.compared),
            ("fallbacks", self.fallbacks, self.reads),
        ):
            if not 0 <= part <= whole:
                raise ValueError(f"{name}: {part} of {whole} cannot be. Count each read once.")


def together(windows: Iterable[Window]) -> Window:
    """Return what windows of the same span and stage are as one, such as those of all rules that share a flag.

    A unit whose reads match two of the rules is in both, and counts twice. Raises ValueError for windows of several
    stages, or for none.
    """
    windows = tuple(windows)
    stages = {window.stage for window in windows}
    if len(stages) != 1:
        raise ValueError(f"Windows of the stages {sorted(stages)} are no one window. Give those of one stage.")
    lags = [window.lag_seconds for window in windows if window.lag_seconds is not None]
    return Window(
        stage=stages.pop(),
        replica=sum((window.replica for window in windows), NO_UNITS),
        primary=sum((window.primary for window in windows), NO_UNITS),
        compared=sum(window.compared for window in windows),
        stale=sum(window.stale for window in windows),
        divergent=sum(window.divergent for window in windows),
        reads=sum(window.reads for window in windows),
        fallbacks=sum(window.fallbacks for window in windows),
        lag_seconds=max(lags, default=None),
    )
