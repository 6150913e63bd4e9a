"""From how a guardrail stands to its verdict, with the reason in words. Pure."""

from collections.abc import Iterable
from math import exp

from rollout.guardrails import Guardrail, Metric
from rollout.intervals import wilson
from rollout.sequential import mean
from rollout.standings import FLOOR_DOUBT, SLOW_SHARE, Standing, update
from rollout.verdicts import Finding, Verdict
from rollout.windows import Window
from rollout.wording import gross, limit_of, none_of, sample_of

PASS_DOUBT = 0.01
"""How probably a stage ever passes that does as much harm as its limit says, or more."""
_GROSS_Z = 4.0
"""So many standard errors beyond a hard limit, one window is enough: by chance, about one of 30,000 windows is."""
_MOST = 50.0
"""Logarithm of the greatest evidence that is told."""


def judge(guardrail: Guardrail, standing: Standing) -> Verdict:
    """Return what the guardrail says after the windows that are in `standing`.

    - A hard limit that is exceeded fails at once, whatever the sample: one measured lag, one divergent read more than
      allowed, or one window whose share is so far beyond the limit that its few units are no excuse.
    - So does the test, once the evidence that more than tolerated is wrong has ever reached what alpha asks for.
    - No data, and less than the minimum sample of the stage, hold. They never pass.
    - It passes once there is as much evidence, from this stage alone, that less than harmful is wrong. A sample size
      would not do instead: a thousand units say much about one failure in ten, and nothing about one in ten thousand.
    - With all units on replicas there is nothing to compare with, and no wait would bring it. The test then goes on
      against what the primary's arm did before, with room for its uncertainty and for `standings.DRIFT`, and a stage
      that has its sample passes unless the evidence leans to more than tolerated: the stages before have to convince.
    - Everything else holds, however long it takes.
    """
    if guardrail.metric is Metric.LAG:
        finding, reason = _of_lag(guardrail, standing)
    elif guardrail.metric is Metric.DIVERGENT_COUNT:
        finding, reason = _of_count(guardrail, standing)
    else:
        finding, reason = _of_share(guardrail, standing)
    return Verdict(guardrail.metric, finding, f"{guardrail.metric}: {reason}", guardrail.trial)


def backtest(guardrail: Guardrail, windows: Iterable[Window]) -> Window | None:
    """Return the first of the recorded windows after which the guardrail would have failed, or None if it never had."""
    standing = Standing()
    for window in windows:
        standing = update(guardrail, standing, window)
        if judge(guardrail, standing).finding is Finding.FAIL:
            return window
    return None


def _of_lag(guardrail: Guardrail, standing: Standing) -> tuple[Finding, str]:
    lag, limit, looks = standing.lag_seconds, guardrail.hard or 0.0, standing.trials.units
    if lag is None:
        return Finding.HOLD, f"not known in the newest window, the limit is {limit:g} s"
    found = f"{lag:.3g} s, the limit is {limit:g} s, known in {looks:,} windows of this stage"
    return (Finding.FAIL, found) if lag > limit else _enough(guardrail, looks, "windows", found)


def _of_count(guardrail: Guardrail, standing: Standing) -> tuple[Finding, str]:
    count, limit, compared = standing.trials.failed, guardrail.hard or 0.0, standing.trials.units
    found = f"{count:,} in this rollout, the limit is {limit:g}, {compared:,} shadow reads compared in this stage"
    return (Finding.FAIL, found) if count > limit else _enough(guardrail, compared, "shadow reads", found)


def _enough(guardrail: Guardrail, sample: int, what: str, found: str) -> tuple[Finding, str]:
    if sample < guardrail.minimum:
        return Finding.HOLD, f"{found}; {sample:,} of the {guardrail.minimum:,} {what} that it needs"
    return Finding.PASS, found


def _of_share(guardrail: Guardrail, standing: Standing) -> tuple[Finding, str]:
    if _is_gross(guardrail, standing):
        return Finding.FAIL, gross(guardrail, standing)
    asked, evidence = 1 / (guardrail.alpha * (1 - FLOOR_DOUBT)), exp(min(standing.worse.peak, _MOST))
    if evidence >= asked:
        limit = limit_of(guardrail, harmful=False)
        return Finding.FAIL, f"{sample_of(guardrail, standing)}; {limit} was exceeded, {_odds(evidence, asked)}"
    if not standing.trials.units:
        return Finding.HOLD, none_of(guardrail, standing)
    return _unless_worse(guardrail, standing, sample_of(guardrail, standing))


def _unless_worse(guardrail: Guardrail, standing: Standing, found: str) -> tuple[Finding, str]:
    limit, trials = limit_of(guardrail, harmful=True), standing.trials
    if trials.units < guardrail.minimum:
        return (
            Finding.HOLD,
            f"{found}; {trials.units:,} of the {guardrail.minimum:,} that it needs, the limit is {limit}",
        )
    if guardrail.metric.has_two_arms and not trials.primary_units:
        tolerated = limit_of(guardrail, harmful=False)
        if standing.worse.leans:
            return Finding.HOLD, f"{found}; more than {tolerated}, it seems, but not surely"
        return Finding.PASS, f"{found}; nothing speaks for more than {tolerated}"
    evidence, asked = exp(min(mean(standing.better), _MOST)), 1 / PASS_DOUBT
    if evidence >= asked:
        return Finding.PASS, f"{found}; less than {limit}, {_odds(evidence, asked)}"
    return Finding.HOLD, f"{found}; not surely less than {limit}, {_odds(evidence, asked)}"


def _is_gross(guardrail: Guardrail, standing: Standing) -> bool:
    """Return whether the newest window exceeds the hard limit by itself, beyond what its few units can explain."""
    if guardrail.hard is None:
        return False
    limit = SLOW_SHARE if guardrail.metric is Metric.LATENCY_RATIO else guardrail.hard
    return wilson(standing.newest.failed, standing.newest.units, _GROSS_Z).low > limit


def _odds(evidence: float, asked: float) -> str:
    return f"evidence {evidence:,.3g}, asked is {asked:,.3g}"
