"""The words for what a guardrail counted, and for what it is held to. Pure."""

from rollout.guardrails import Guardrail, Metric, steps
from rollout.standings import SLOW_SHARE, Standing
from rollout.windows import begin_of

_COUNTED = {
    Metric.ERROR_RATE: "units failed",
    Metric.LATENCY_RATIO: "units were slow",
    Metric.STALE_SHARE: "shadow reads were stale",
    Metric.FALLBACK_SHARE: "reads fell back to the primary",
}


def sample_of(guardrail: Guardrail, standing: Standing) -> str:
    """Return what the stage has counted so far."""
    trials, metric = standing.trials, guardrail.metric
    found = f"{_share(trials.failed, trials.units)} {_COUNTED[metric]}"
    if not metric.has_two_arms:
        return found
    found = f"{found} on replicas{_from(standing, guardrail.tolerated_ratio) if _times(metric) else ''}"
    if trials.primary_units:
        beside = f"{_share(trials.primary_failed, trials.primary_units)} on the primary"
        return f"{found}, {beside}{_from(standing, 1.0) if _times(metric) else ''}"
    units, failed = standing.primary.units, standing.primary.failed
    before = f"{units:,} units" if _times(metric) else _share(failed, units)
    return f"{found}, with no primary arm beside it: before, up to stage {standing.primary_stage}, it had {before}"


def none_of(guardrail: Guardrail, standing: Standing) -> str:
    """Return what is missing in a stage that has counted nothing so far."""
    limit = f"the limit is {limit_of(guardrail, harmful=True)}, and {guardrail.minimum:,} are needed"
    if guardrail.metric.has_two_arms and standing.primary_stage is None:
        return f"no data to compare, as this rollout has had no primary arm yet; {limit}"
    if _times(guardrail.metric) and standing.edge is None:
        return f"no data to compare, as too little is known of the primary's 95th percentile; {limit}"
    return f"no data in this stage; {limit}"


def gross(guardrail: Guardrail, standing: Standing) -> str:
    """Return how the newest window exceeds the hard limit."""
    share, hard = _share(standing.newest.failed, standing.newest.units), guardrail.hard or 0.0
    if _times(guardrail.metric):
        return f"{share} units in the newest window took more than {hard:g} s, the limit is {_percent(SLOW_SHARE)}"
    return f"{share} {_COUNTED[guardrail.metric]} in the newest window, the hard limit is {_percent(hard)}"


def limit_of(guardrail: Guardrail, *, harmful: bool) -> str:
    """Return the tolerated limit of a share, or the harmful one."""
    ratio, share = (
        (guardrail.harmful_ratio, guardrail.harmful_share)
        if harmful
        else (guardrail.tolerated_ratio, guardrail.tolerated_share)
    )
    if _times(guardrail.metric):
        return f"{ratio:g} times the primary's 95th percentile"
    of = " of all units" if harmful and guardrail.metric.has_two_arms else ""
    more = f"{_percent(share)}{of}"
    if guardrail.metric.has_two_arms:
        return f"{ratio:g} times the primary's share" + (f" and {more}" if share else "")
    if not guardrail.floor:
        return more
    return f"{ratio:g} times the {_share(guardrail.floor.part, guardrail.floor.whole)} of before" + (
        f" and {more}" if share else ""
    )


def _times(metric: Metric) -> bool:
    return metric is Metric.LATENCY_RATIO


def _from(standing: Standing, ratio: float) -> str:
    return f" (from {1000 * begin_of((standing.edge or 0) + steps(ratio)):.3g} ms on)"


def _share(part: int, whole: int) -> str:
    return f"{_percent(part / whole if whole else 0)} of {whole:,}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
