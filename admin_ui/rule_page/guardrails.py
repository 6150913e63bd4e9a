"""The guardrails of a plan as a table: what each found, by what it is judged, and what it says. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollout.guardrails import Guardrail, Metric
from rollout.standings import Standing
from rollout.verdicts import Finding
from rollout.wording import limit_of
from tasks.reporting.words import grouped, percent

NAMES = {
    Metric.ERROR_RATE: "Errors",
    Metric.LATENCY_RATIO: "Latency",
    Metric.LAG: "Lag",
    Metric.STALE_SHARE: "Stale reads",
    Metric.DIVERGENT_COUNT: "Divergent reads",
    Metric.FALLBACK_SHARE: "Fallbacks to the primary",
}
SAMPLES = {
    Metric.ERROR_RATE: "units",
    Metric.LATENCY_RATIO: "units",
    Metric.LAG: "windows",
    Metric.STALE_SHARE: "shadow reads",
    Metric.DIVERGENT_COUNT: "shadow reads",
    Metric.FALLBACK_SHARE: "reads",
}
WORDS = {Finding.PASS: "passes", Finding.HOLD: "holds", Finding.FAIL: "fails"}
NOT_YET = "Nobody has looked yet."


@dataclass(frozen=True, slots=True)
class GuardrailRow:
    """finding: names the CSS class. verdict: the same in words. reason: why, as it was judged."""

    name: str
    value: str
    limit: str
    sample: str
    finding: str
    verdict: str
    reason: str
    is_trial: bool


def guardrail_rows(
    guardrails: tuple[Guardrail, ...], standings: Mapping[str, Any], verdicts: Mapping[str, Any]
) -> Iterator[GuardrailRow]:
    """Yield a row for each guardrail. standings, verdicts: as the plan stores them.

    Raises AttributeError, KeyError, TypeError or ValueError for what somebody has written by hand.
    """
    for guardrail in guardrails:
        metric = guardrail.metric
        standing = Standing.from_json(standings[metric]) if metric in standings else Standing()
        verdict = verdicts.get(metric, {"finding": Finding.HOLD, "reason": NOT_YET, "trial": guardrail.trial})
        yield GuardrailRow(
            name=NAMES[metric],
            value=value_of(metric, standing),
            limit=limits_of(guardrail),
            sample=f"{grouped(standing.trials.units)} of {grouped(guardrail.minimum)} {SAMPLES[metric]}",
            finding=str(verdict["finding"]),
            verdict=WORDS[Finding(verdict["finding"])],
            reason=str(verdict["reason"]).removeprefix(f"{metric}: "),
            is_trial=bool(verdict["trial"]),
        )


def value_of(metric: Metric, standing: Standing) -> str:
    """Say what was found in the present stage, in both arms where there are two."""
    trials = standing.trials
    if metric is Metric.LAG:
        return "unknown" if standing.lag_seconds is None else f"{standing.lag_seconds:.3g} s"
    if not trials.units:
        return "nothing yet"
    if metric is Metric.DIVERGENT_COUNT:
        return grouped(trials.failed)
    slow = " slow" if metric is Metric.LATENCY_RATIO else ""
    found = f"{percent(trials.failed / trials.units)}{slow}"
    if not metric.has_two_arms:
        return found
    if not trials.primary_units:
        return f"{found} on replicas, nothing on the primary"
    return f"{found} on replicas, {percent(trials.primary_failed / trials.primary_units)}{slow} on the primary"


def limits_of(guardrail: Guardrail) -> str:
    """Say from where on it fails, and below what it passes."""
    if guardrail.metric is Metric.LAG:
        return f"fails above {guardrail.hard:g} s"
    if guardrail.metric is Metric.DIVERGENT_COUNT:
        return f"fails above {guardrail.hard:g}"
    limits = (
        f"fails surely above {limit_of(guardrail, harmful=False)}, "
        f"passes surely below {limit_of(guardrail, harmful=True)}"
    )
    if guardrail.hard is None:
        return limits
    hard = f"{guardrail.hard:g} s" if guardrail.metric is Metric.LATENCY_RATIO else percent(guardrail.hard)
    return f"{limits}, never above {hard}"
