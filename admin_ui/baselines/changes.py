"""What came of comparing two windows of time: values with words."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rollout.endpoint_sums import EndpointSums, Span


class Verdict(StrEnum):
    """What came of one comparison, the gravest first. THIN: too little to say. GONE, NEW: in one window only."""

    WORSE = "worse"
    BETTER = "better"
    STEADY = "steady"
    THIN = "thin"
    GONE = "gone"
    NEW = "new"

    @property
    def words(self) -> str:
        return {"steady": "not worse", "thin": "too few units", "gone": "not used later"}.get(self, self.value)

    @property
    def is_telling(self) -> bool:
        return self in {Verdict.WORSE, Verdict.BETTER, Verdict.STEADY}


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of an endpoint in both windows: seconds, or a share from 0 to 1. None where no unit was counted.

    verdict: whether it is higher than before by more than the margin, and by more than chance explains.
    """

    name: str
    before: float | None
    after: float | None
    verdict: Verdict

    @property
    def ratio(self) -> float | None:
        return self.after / self.before if self.after is not None and self.before else None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"before": self.before, "after": self.after, "ratio": self.ratio, "verdict": self.verdict.value}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one endpoint. latencies: its percentiles. reasons: what is worse, in sentences.

    doubts: what cannot be judged of it, likewise.
    """

    endpoint: str
    before: EndpointSums
    after: EndpointSums
    verdict: Verdict
    latencies: tuple[Measure, ...]
    failures: Measure
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "endpoint": self.endpoint,
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "doubts": list(self.doubts),
            "before": _counts(self.before),
            "after": _counts(self.after),
            "seconds": {measure.name: measure.as_json() for measure in self.latencies},
            "failed": self.failures.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All endpoints of two windows, what is worse first and then the busiest first. margin: a share."""

    name: str
    before: Span
    after: Span
    margin: float
    changes: tuple[Change, ...]

    @property
    def verdict(self) -> Verdict:
        """What came of it all in all: THIN when nothing can be said of any endpoint."""
        verdicts = {change.verdict for change in self.changes if change.verdict.is_telling}
        if Verdict.WORSE in verdicts:
            return Verdict.WORSE
        return Verdict.STEADY if verdicts else Verdict.THIN

    def of(self, *verdicts: Verdict) -> tuple[Change, ...]:
        """Return the endpoints of which this was found."""
        return tuple(change for change in self.changes if change.verdict in verdicts)

    @property
    def totals(self) -> tuple[EndpointSums, EndpointSums]:
        """The units and reads of all endpoints together, before and after."""
        return _total(change.before for change in self.changes), _total(change.after for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        spans = {"before": self.before, "after": self.after}
        return {
            "baseline": self.name,
            "verdict": self.verdict.value,
            "margin": self.margin,
            **{
                name: {
                    "from": span.since.isoformat(),
                    "to": span.until.isoformat(),
                    "minutes": span.minutes,
                    **_counts(sums),
                    "units_per_minute": sums.units / span.minutes,
                }
                for (name, span), sums in zip(spans.items(), self.totals, strict=True)
            },
            "endpoints": [change.as_json() for change in self.changes],
        }


def _counts(sums: EndpointSums) -> dict[str, int]:
    return {name: getattr(sums, name) for name in ("units", "failed", "reads", "on_replicas")}


def _total(all_sums: Iterable[EndpointSums]) -> EndpointSums:
    units = failed = reads = on_replicas = 0
    for sums in all_sums:
        units += sums.units
        failed += sums.failed
        reads += sums.reads
        on_replicas += sums.on_replicas
    return EndpointSums(units=units, failed=failed, reads=reads, on_replicas=on_replicas)
