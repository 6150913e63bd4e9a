"""How far a replica is behind, from our own record of where the primary stood when. Pure.

`pg_last_xact_replay_timestamp()` is not used: it grows on an idle primary, stands still after a promotion, and is
null at first.
"""

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from routers.positions import Floor, Position

MICROSECONDS = 1_000_000

_MOST_SAMPLES = 10_000


class LagState(StrEnum):
    """KNOWN: it is behind, by at most so many seconds. CURRENT: it shows all that the primary had when last asked.

    UNKNOWN: it is behind everything on record, or the record tells nothing about it. Unknown is never fit to serve.
    """

    KNOWN = "known"
    CURRENT = "current"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Lag:
    """seconds: an upper bound; None when unknown. bytes: how much of the log is still to be replayed, or None."""

    state: LagState
    seconds: float | None = None
    bytes: int | None = None


UNKNOWN_LAG = Lag(LagState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the primary stood.

    at: a time of our monotonic clock, taken before it was asked. clock: the primary's own time in microseconds since
    the epoch, taken when the question arrived there, so before it looked where it stood.
    """

    at: float
    position: Position
    clock: int = 0


class History:
    """The samples of one primary, oldest first, for a span of seconds.

    A new timeline or system begins a new record: positions of different histories are not compared.
    """

    def __init__(self, span_seconds: float) -> None:
        self._span_seconds = span_seconds
        self._samples: deque[Sample] = deque()

    @property
    def latest(self) -> Sample | None:
        return self._samples[-1] if self._samples else None

    def add(self, sample: Sample) -> None:
        """Record a sample. While the primary stands still, only the time of the last one moves on."""
        latest = self.latest
        if latest is not None and not latest.position.is_comparable(sample.position):
            self._samples.clear()
        elif latest is not None and latest.position.lsn >= sample.position.lsn:
            self._samples.pop()
            sample = Sample(sample.at, latest.position, sample.clock)
        self._samples.append(sample)
        while self._samples[0].at < sample.at - self._span_seconds or len(self._samples) > _MOST_SAMPLES:
            self._samples.popleft()

    def reaches_back(self, now: float) -> float:
        """Return how many seconds the record goes back, while it belongs to one history; 0 without a sample."""
        return now - self._samples[0].at if self._samples else 0.0

    def floor_at(self, now: float) -> Floor | None:
        """Return the floor of a read that the primary served no later than now; None without a sample.

        The primary's clock is ahead of ours by no more than it was when the question arrived there after we asked.
        Nothing is assumed about the clocks but that they run equally fast for a second or two.
        """
        latest = self.latest
        if latest is None:
            return None
        clock = latest.clock + math.ceil((now - latest.at) * MICROSECONDS)
        return Floor(latest.position.system, latest.position.timeline, clock=clock)

    def position_of(self, floor: Floor) -> Position | None:
        """Return a position that shows what the floor asks for; None while none is known."""
        lsn = 0
        if floor.clock:
            # From the latest back, since samples from before a clock was set back are older than the times they carry.
            first = None
            for sample in reversed(self._samples):
                if sample.clock < floor.clock:
                    break
                first = sample
            if first is None:
                return None
            if not floor.is_comparable(first.position):
                return None
            lsn = first.position.lsn
        return Position(floor.system, floor.timeline, max(lsn, floor.lsn))

    def lag_of(self, replica: Position, now: float) -> Lag:
        """Return how far a replica that stands there is behind.

        Everything that was committed before a sample is at or before its position. A replica that has reached the
        sample therefore shows everything older than the sample, whatever it still lacks.
        """
        latest = self.latest
        if latest is None or not latest.position.is_comparable(replica):
            return UNKNOWN_LAG
        behind = max(0, latest.position.lsn - replica.lsn)
        for sample in reversed(self._samples):
            if sample.position.is_reached_by(replica):
                state = LagState.CURRENT if sample is latest else LagState.KNOWN
                # Another process may have asked the replica: at a time that is known roughly, and at the earliest.
                return Lag(state, max(0.0, now - sample.at), behind)
        return Lag(LagState.UNKNOWN, bytes=behind)
