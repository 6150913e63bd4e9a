"""What a person may conclude from comparisons: whether a rule is safe to route, and why. Pure."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from rollout.intervals import highest_of_none, wilson
from rollout.outcomes import Outcome
from tasks.reporting.findings import CauseCount, Counts, Findings, cause_words
from tasks.reporting.words import bare_percent, grouped, milliseconds, percent

ENOUGH = 1_000
"""Comparisons that a rule needs. If none of n differs, at most about 3 / n of all reads do (95 %): with 1,000, 0.3 %.

Ten times as many would say 0.03 %, and keep a rule with ten reads a minute, all of them captured, waiting for 17 hours.
"""

GREATEST_FAILED_SHARE = 0.05
"""If surely more than this share ended without an answer, what the others say may not hold for those."""

LEAST_FAILED = 5
"""So many must have failed before their share counts: one failure of one would be surely more than 5 %."""


class Judgement(StrEnum):
    """What to do. The value names the CSS class."""

    SAFE = "safe"
    LOOK = "look"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Verdict:
    """words: the judgement as people say it. reason: why, in a sentence without its full stop."""

    judgement: Judgement
    words: str
    reason: str


def judge(findings: Findings, enough: int = ENOUGH) -> Verdict:
    """Judge what was found. The first of these that holds decides:

    1. Any read was divergent: the replica differs where the primary does not change, which no amount of others excuses.
    2. Too many ended without an answer: more than `GREATEST_FAILED_SHARE`, by the lower bound of its 95 % interval, so
       that a few failures among few reads do not count. Volatile statements are left out of both numbers.
    3. Fewer than `enough` were compared.
    4. Otherwise it is safe. How stale replicas are is said and not judged: that is for the rule's contract to bound.
    """
    counts = findings.counts
    if counts.divergent:
        return Verdict(Judgement.LOOK, "needs a look", _divergence(findings))
    answerable = counts.compared + counts.failed
    if counts.failed >= LEAST_FAILED and wilson(counts.failed, answerable).low > GREATEST_FAILED_SHARE:
        return Verdict(Judgement.LOOK, "needs a look", _failure(findings, answerable))
    if counts.compared < enough:
        words = f"not enough data yet ({grouped(counts.compared)} of {grouped(enough)})"
        return Verdict(Judgement.WAIT, words, _shortage(counts, enough))
    return Verdict(Judgement.SAFE, "safe to route", _safety(findings))


def _divergence(findings: Findings) -> str:
    counts = findings.counts
    cause = _most_frequent(findings.causes, Outcome.DIVERGENT)
    return f"{grouped(counts.divergent)} of {grouped(counts.compared)} compared are divergent{cause}"


def _failure(findings: Findings, answerable: int) -> str:
    failed = findings.counts.failed
    cause = _most_frequent(findings.causes, Outcome.INCONCLUSIVE, Outcome.ERROR)
    return f"{percent(failed / answerable)} of {grouped(answerable)} ended without an answer{cause}"


def _shortage(counts: Counts, enough: int) -> str:
    volatile = _volatile(counts)
    if not counts.compared:
        return f"nothing was compared{volatile}"
    bound = percent(highest_of_none(enough))
    return f"0 divergent so far; {grouped(enough)} would show that at most {bound} are{volatile}"


def _safety(findings: Findings) -> str:
    counts = findings.counts
    parts = [f"{grouped(counts.compared)} compared, 0 divergent (at most {percent(highest_of_none(counts.compared))})"]
    if findings.stale is not None:
        bounds = findings.stale.bounds
        span = f"{bare_percent(bounds.low)} to {bare_percent(bounds.high)}"
        parts.append(f"stale {percent(findings.stale.share)} ({span})")
    if (staleness := findings.staleness) is not None:
        p50, p95, most = map(milliseconds, (staleness.p50, staleness.p95, staleness.max))
        parts.append(f"by {p50} in the median, {p95} at the 95th percentile, {most} at most")
    return ", ".join(parts) + _volatile(counts)


def _volatile(counts: Counts) -> str:
    if not counts.volatile:
        return ""
    return f"; {grouped(counts.volatile)} left out, whose statements need not answer the same twice"


def _most_frequent(causes: tuple[CauseCount, ...], *outcomes: Outcome) -> str:
    sums: Counter[str] = Counter()
    for one in causes:
        if one.outcome in outcomes and one.cause and not one.is_volatile:
            sums[one.cause] += one.count
    if not sums:
        return ""
    most = min(sums, key=lambda cause: (-sums[cause], cause))
    return f"{': ' if len(sums) == 1 else ', mostly: '}{cause_words(most)}"
