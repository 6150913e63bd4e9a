"""Advice and comparisons as lines of tables. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from admin_ui.advice.ranking import Advice, Advisory
from admin_ui.baselines.changes import Comparison, Verdict
from admin_ui.baselines.report import latency, on_replicas, rate, shares
from admin_ui.drawing.figures import share_of, took
from tasks.reporting.words import figure


@dataclass(frozen=True, slots=True)
class AdviceLine:
    """One endpoint. share: of all reads on primaries, in percent. slow: how long 95 % of its units take, or empty."""

    advice: Advice
    per_minute: str
    share: Decimal
    slow: str


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One endpoint of a comparison, in words. is_worse: whether it is what one looks for."""

    endpoint: str
    verdict: str
    is_worse: bool
    rates: str
    latencies: tuple[str, ...]
    failed: str
    on_replicas: str
    remarks: tuple[str, ...]


def advice_lines(advisory: Advisory, most: int) -> tuple[AdviceLine, ...]:
    """Return a line for each endpoint, the first ones of so many at most."""
    return tuple(_advice_lines(advisory, most))


def change_lines(comparison: Comparison) -> tuple[ChangeLine, ...]:
    """Return a line for each endpoint of a comparison."""
    return tuple(
        ChangeLine(
            endpoint=change.endpoint,
            verdict=change.verdict.words,
            is_worse=change.verdict is Verdict.WORSE,
            rates=f"{rate(change.before, comparison.before)} → {rate(change.after, comparison.after)}",
            latencies=tuple(map(latency, change.latencies)),
            failed=shares(change.failures.before, change.failures.after),
            on_replicas=on_replicas(change),
            remarks=(*change.reasons, *change.doubts),
        )
        for change in comparison.changes
    )


def _advice_lines(advisory: Advisory, most: int) -> Iterator[AdviceLine]:
    for advice in advisory.endpoints[:most]:
        slow = advice.evidence.sums.quantile(0.95)
        yield AdviceLine(
            advice=advice,
            per_minute=figure(advice.evidence.movable / advisory.span.minutes),
            share=share_of(advice.evidence.movable, advisory.on_primary),
            slow="" if slow is None else took(slow),
        )
