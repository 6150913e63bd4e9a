"""What speaks against moving an endpoint's reads, and how much of its work it concerns. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod

from admin_ui.advice.evidence import Evidence
from admin_ui.advice.standbys import Patience
from rollout.endpoint_sums import EndpointSums
from tasks.reporting.words import counted, grouped, percent

_HIGH = 0.1
_SOME = 0.01


class Hazard(StrEnum):
    """What can go wrong. The order is that of gravity: the first one that applies is seen to first."""

    DIVERGENT = "divergent"
    SAFE_WRITE = "safe_write"
    WRITE_AFTER_READ = "write_after_read"
    CONFLICT = "conflict"
    REPLAYED = "replayed"
    OWN_WRITES = "own_writes"


_WEIGHTS = {Hazard.OWN_WRITES: 0.25}
"""How much a hazard counts that is not as bad as the others: what waits for own writes shows nobody anything old."""


class Level(StrEnum):
    """How risky it is. UNKNOWN: no unit was counted."""

    LOW = "low"
    SOME = "some"
    HIGH = "high"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing that speaks against moving. share: of its units or reads, 0 to 1. words: a sentence."""

    hazard: Hazard
    share: float
    words: str


def risks_of(evidence: Evidence, patience: Sequence[Patience], greatest_lag_seconds: float) -> tuple[Risk, ...]:
    """Return what speaks against moving an endpoint, the gravest first.

    patience: of the replicas, as far as they said. greatest_lag_seconds: with which a replica still serves.
    """
    found = {
        risk.hazard: risk
        for risk in (
            *_of_units(evidence.sums),
            *_of_replicas(evidence),
            *_of_conflicts(evidence.sums, patience, greatest_lag_seconds),
        )
    }
    return tuple(found[hazard] for hazard in Hazard if hazard in found)


def combined(risks: Iterable[Risk]) -> float:
    """Return the share of work that at least one hazard concerns, 0 to 1, as if they came independently."""
    # Rounded, so that a tenth is not less than a tenth.
    return round(1 - prod(1 - _WEIGHTS.get(risk.hazard, 1.0) * risk.share for risk in risks), 12)


def level_of(units: int, risks: Sequence[Risk]) -> Level:
    """Return how risky it is all in all. A divergent read is never a small matter."""
    if any(risk.hazard is Hazard.DIVERGENT for risk in risks):
        return Level.HIGH
    if not units:
        return Level.UNKNOWN
    total = combined(risks)
    return Level.HIGH if total >= _HIGH else Level.SOME if total >= _SOME else Level.LOW


def _of_units(sums: EndpointSums) -> Iterator[Risk]:
    if sums.safe_writes:
        yield Risk(
            Hazard.SAFE_WRITE,
            sums.safe_writes / sums.units,
            f"{_of(sums.safe_writes, sums.units)} wrote, though their HTTP method is a safe one: their reads stay on "
            f"the primary from the write on, and those of the same user for a moment.",
        )
    if sums.writes_after_reads:
        yield Risk(
            Hazard.WRITE_AFTER_READ,
            sums.writes_after_reads / sums.units,
            f"{_of(sums.writes_after_reads, sums.units)} wrote after they had read: what they write may rest on what "
            f"a replica has not shown yet.",
        )
    if sums.with_token:
        yield Risk(
            Hazard.OWN_WRITES,
            sums.with_token / sums.units,
            f"{_of(sums.with_token, sums.units)} came from somebody who had just written: their reads wait for the "
            f"replica, or go to the primary.",
        )


def _of_replicas(evidence: Evidence) -> Iterator[Risk]:
    shadows = evidence.shadows
    if shadows.divergent:
        yield Risk(
            Hazard.DIVERGENT,
            shadows.divergent / shadows.compared,
            f"{grouped(shadows.divergent)} of {grouped(shadows.compared)} shadow reads were divergent: a replica "
            f"answers otherwise, however long one waits.",
        )
    if evidence.replayed:
        tried = max(evidence.sums.on_replicas, evidence.replayed)
        yield Risk(
            Hazard.REPLAYED,
            evidence.replayed / tried,
            f"{grouped(evidence.replayed)} of {grouped(tried)} reads on replicas failed there and were asked again.",
        )


def _of_conflicts(sums: EndpointSums, patience: Sequence[Patience], greatest_lag_seconds: float) -> Iterator[Risk]:
    if not patience:
        return
    shortest = min(patience, key=lambda one: greatest_lag_seconds if one.seconds is None else one.seconds)
    limit = greatest_lag_seconds if shortest.seconds is None else shortest.seconds
    if not (slow := sums.slower_than(limit)):
        return
    feedback = "on" if shortest.gives_feedback else "off"
    effect = (
        f"“{shortest.alias}” lets reads hold up its replay for ever, and is out of service when it is so far behind"
        if shortest.seconds is None
        else f"“{shortest.alias}” cancels reads that hold up its replay for so long (max_standby_streaming_delay)"
    )
    yield Risk(
        Hazard.CONFLICT,
        slow / sum(sums.durations),
        f"{_of(slow, sum(sums.durations))} took about {limit:g} s or longer: {effect}; hot_standby_feedback is "
        f"{feedback}.",
    )


def _of(part: int, whole: int) -> str:
    return f"{percent(part / whole)} of {counted(whole, 'unit')}"
