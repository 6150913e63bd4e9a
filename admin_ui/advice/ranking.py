"""Ranks endpoints by the load that the primary would be rid of, less the share of it that is at risk. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from admin_ui.advice.evidence import Evidence
from admin_ui.advice.risks import Level, Risk, combined, level_of, risks_of
from admin_ui.advice.standbys import Patience
from admin_ui.advice.steps import NextStep, next_step
from rollout.endpoint_sums import Span
from rollout.reasons import Reason
from tasks.reporting.words import counted, grouped

_SECOND_MS = 1_000
_FEW = 30


@dataclass(frozen=True, slots=True)
class Advice:
    """What is advised about one endpoint.

    evidence: what it rests on. movable_share: that of all reads on primaries which this endpoint's movable ones are.
    risk: the share of its work that is at risk, 0 to 1. stays: why its other reads stay on the primary, in words.
    next: what to do.
    """

    evidence: Evidence
    movable_share: float
    risk: float
    level: Level
    risks: tuple[Risk, ...]
    stays: tuple[str, ...]
    next: NextStep

    @property
    def endpoint(self) -> str:
        return self.evidence.endpoint

    @property
    def is_thin(self) -> bool:
        """Whether it rests on so few units that shares say little."""
        return self.evidence.sums.units < _FEW

    @property
    def score(self) -> float:
        """How many reads could move without any risk: by this, endpoints are ranked."""
        return self.evidence.movable * (1 - self.risk)

    @property
    def database_seconds(self) -> float | None:
        """How long the primary would not have worked, if shadow reads tell how long it takes for one."""
        each = self.evidence.shadows.primary_ms
        return None if each is None else self.evidence.movable * each / _SECOND_MS

    def as_json(self, minutes: float) -> dict[str, Any]:
        """Return it for programs. minutes: how long it was counted."""
        sums, rule = self.evidence.sums, self.evidence.rule
        return {
            "endpoint": self.endpoint,
            "movable_reads": self.evidence.movable,
            "movable_reads_per_minute": round(self.evidence.movable / minutes, 2),
            "movable_share_of_primary": round(self.movable_share, 4),
            "database_seconds": self.database_seconds,
            "reads": sums.reads,
            "reads_on_replicas": sums.on_replicas,
            "undecided_reads": self.evidence.undecided,
            "reads_on_primary_by_reason": dict(self.evidence.on_primary),
            "units": sums.units,
            "units_per_minute": round(sums.units / minutes, 2),
            "p95_seconds": sums.quantile(0.95),
            "risk": round(self.risk, 4),
            "level": self.level.value,
            "few_units": self.is_thin,
            "risks": [{"hazard": one.hazard.value, "share": one.share, "words": one.words} for one in self.risks],
            "mode": rule.mode if rule is not None else None,
            "next": str(self.next),
            "command": self.next.command,
        }


@dataclass(frozen=True, slots=True)
class Advisory:
    """All that is advised. on_primary: how many reads primaries served. notes: what limits the advice, in sentences."""

    span: Span
    endpoints: tuple[Advice, ...]
    reads: int
    on_primary: int
    movable: int
    notes: tuple[str, ...]

    def as_json(self, limit: int | None = None) -> dict[str, Any]:
        """Return it for programs, with so many endpoints at most."""
        return {
            "from": self.span.since.isoformat(),
            "to": self.span.until.isoformat(),
            "reads": self.reads,
            "reads_on_primary": self.on_primary,
            "movable_reads": self.movable,
            "notes": list(self.notes),
            "endpoints": [one.as_json(self.span.minutes) for one in self.endpoints[:limit]],
        }


def advise(
    evidence: Iterable[Evidence],
    span: Span,
    patience: Sequence[Patience],
    greatest_lag_seconds: float,
    rule_address: Callable[[str], str],
) -> Advisory:
    """Return the advice about all endpoints, the one with most to win first.

    rule_address: says where a rule for an endpoint is added or changed.
    """
    evidence = tuple(evidence)
    reads = sum(one.sums.reads for one in evidence)
    on_primary = sum(one.sums.reads - one.sums.on_replicas for one in evidence)
    named = [one for one in evidence if one.can_have_rule]
    advice = [_advice(one, on_primary, patience, greatest_lag_seconds, rule_address(one.endpoint)) for one in named]
    return Advisory(
        span=span,
        endpoints=tuple(sorted(advice, key=_order)),
        reads=reads,
        on_primary=on_primary,
        movable=sum(one.movable for one in named),
        notes=tuple(_notes(evidence, on_primary)),
    )


def _order(advice: Advice) -> tuple[float, int, int, str]:
    return -advice.score, -advice.evidence.movable, -advice.evidence.undecided, advice.endpoint


def _advice(
    evidence: Evidence,
    on_primary: int,
    patience: Sequence[Patience],
    greatest_lag_seconds: float,
    rule_address: str,
) -> Advice:
    risks = risks_of(evidence, patience, greatest_lag_seconds)
    level = level_of(evidence.sums.units, risks)
    return Advice(
        evidence=evidence,
        movable_share=evidence.movable / on_primary if on_primary else 0.0,
        risk=combined(risks),
        level=level,
        risks=risks,
        stays=tuple(_stays(evidence)),
        next=next_step(evidence, level, risks, rule_address),
    )


def _stays(evidence: Evidence) -> Iterator[str]:
    for code, count in sorted(evidence.on_primary.items(), key=lambda item: (-item[1], item[0])):
        reason = Reason(code) if code in Reason.values else None
        if reason is None or not reason.is_up_to_rules or reason is Reason.PINNED:
            models = f" ({', '.join(sorted(evidence.denied))})" if reason is Reason.DENIED and evidence.denied else ""
            yield f"{grouped(count)}: {reason.label if reason else code}{models}"


def _notes(evidence: Sequence[Evidence], on_primary: int) -> Iterator[str]:
    undecided = sum(one.undecided for one in evidence)
    if undecided:
        yield (
            f"Of {grouped(undecided)} of {counted(on_primary, 'read')} on the primary nobody can say whether "
            f"they could move: routing was switched off then, or a process had no policy. Let the kill switch be "
            f"on: without a rule, it moves nothing."
        )
    nameless = sum(
        one.movable + one.on_primary.get(Reason.OUTSIDE_UNIT, 0) for one in evidence if not one.can_have_rule
    )
    if nameless:
        yield (
            f"{counted(nameless, 'read')} ran where no rule for an endpoint reaches: outside of any request, task or "
            f"command, or before a view was found. unit_of_work() gives such code a name."
        )
