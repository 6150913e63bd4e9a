"""Compares how endpoints did in two windows of time, and says so only where there is enough to compare. Pure."""

from collections.abc import Iterator, Mapping
from math import sqrt

from admin_ui.baselines.changes import Change, Comparison, Measure, Verdict
from admin_ui.drawing.figures import took
from rollout.endpoint_sums import EndpointSums, Span
from rollout.intervals import Z_95, Interval, wilson
from rollout.windows import begin_of
from tasks.reporting.words import percent

MARGIN = 0.25
"""By how much more than before is worse, unless somebody says otherwise. Durations are counted in steps of 15 %."""

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_NEEDED_BEYOND = 10


def compare(
    name: str,
    before: Mapping[str, EndpointSums],
    after: Mapping[str, EndpointSums],
    spans: tuple[Span, Span],
    margin: float = MARGIN,
) -> Comparison:
    """Compare two windows. name: that of the baseline. margin: by how much more than before is worse, as a share."""
    nothing = EndpointSums()
    changes = (
        _change(endpoint, before.get(endpoint, nothing), after.get(endpoint, nothing), margin)
        for endpoint in {*before, *after}
    )
    ranked = sorted(
        (change for change in changes if change.before.units or change.after.units),
        key=lambda one: (one.verdict is not Verdict.WORSE, -one.before.units - one.after.units, one.endpoint),
    )
    return Comparison(name, *spans, margin, tuple(ranked))


def _change(endpoint: str, before: EndpointSums, after: EndpointSums, margin: float) -> Change:
    latencies = tuple(_latency(name, share, before, after, margin) for name, share in QUANTILES.items())
    failures = _failures(before, after, margin)
    verdict = _verdict(before, after, latencies, failures)
    reasons, doubts = tuple(_reasons(latencies, failures)), tuple(_doubts(verdict, latencies))
    return Change(endpoint, before, after, verdict, latencies, failures, reasons, doubts)


def _verdict(before: EndpointSums, after: EndpointSums, latencies: tuple[Measure, ...], failures: Measure) -> Verdict:
    if not before.units or not after.units:
        return Verdict.GONE if before.units else Verdict.NEW
    if failures.verdict is Verdict.WORSE:
        return Verdict.WORSE
    # That no more units failed says nothing of an endpoint with so few that its latency is unknown.
    found = {measure.verdict for measure in latencies}
    return next(verdict for verdict in Verdict if verdict in found)


def _latency(name: str, share: float, before: EndpointSums, after: EndpointSums, margin: float) -> Measure:
    values = before.quantile(share), after.quantile(share)
    if not all(_is_enough(sums, share) for sums in (before, after)):
        return Measure(name, *values, Verdict.THIN)
    return Measure(name, *values, _judge(_around(before, share), _around(after, share), values, margin))


def _failures(before: EndpointSums, after: EndpointSums, margin: float) -> Measure:
    shares = [sums.failed / sums.units if sums.units else None for sums in (before, after)]
    values = shares[0], shares[1]
    if not before.units or not after.units:
        return Measure("failed", *values, Verdict.THIN)
    bounds = wilson(before.failed, before.units), wilson(after.failed, after.units)
    return Measure("failed", *values, _judge(*bounds, values, margin))


def _judge(before: Interval, after: Interval, values: tuple[float | None, float | None], margin: float) -> Verdict:
    """Say what changed by more than the margin, and so much that the intervals do not meet."""
    was, now = values[0] or 0.0, values[1] or 0.0
    if after.low > before.high and now > was * (1 + margin):
        return Verdict.WORSE
    if after.high < before.low and was > now * (1 + margin):
        return Verdict.BETTER
    return Verdict.STEADY


def needed(share: float) -> int:
    """Return how many units it takes to tell anything of a percentile: ten of them beyond it."""
    return round(_NEEDED_BEYOND / (1 - share))


def _is_enough(sums: EndpointSums, share: float) -> bool:
    return sum(sums.durations) >= needed(share)


def _around(sums: EndpointSums, share: float) -> Interval:
    """Return the durations that the true percentile lies between with 95 % certainty.

    Of n units, the number of those below it is binomial, so its rank lies within 1.96 standard deviations of n * share.
    Source: W. J. Conover, "Practical Nonparametric Statistics", 3rd edition (1999), section 3.2.
    """
    total = sum(sums.durations)
    reach = Z_95 * sqrt(total * share * (1 - share))
    low, high = (sums.bucket_at(total * share + away) for away in (-reach, reach))
    # All of the buckets: where within them units lie, nobody knows.
    return Interval(begin_of(low), begin_of(high + 1))


def _reasons(latencies: tuple[Measure, ...], failures: Measure) -> Iterator[str]:
    for measure, share in zip(latencies, QUANTILES.values(), strict=True):
        if measure.verdict is Verdict.WORSE and measure.before is not None and measure.after is not None:
            yield (
                f"{percent(share)} of its units took {took(measure.before)} at most, and then "
                f"{took(measure.after)}: {measure.ratio or 0:.2g} times as long."
            )
    if failures.verdict is Verdict.WORSE:
        yield f"{percent(failures.before or 0)} of its units failed, and then {percent(failures.after or 0)}."


def _doubts(verdict: Verdict, latencies: tuple[Measure, ...]) -> Iterator[str]:
    unsure = [measure.name for measure in latencies if measure.verdict is Verdict.THIN]
    if unsure and verdict in {Verdict.WORSE, Verdict.BETTER, Verdict.STEADY, Verdict.THIN}:
        units = needed(QUANTILES[unsure[0]])
        yield f"Too few units to judge {' and '.join(unsure)}: {units:,} are needed in each window for {unsure[0]}."
