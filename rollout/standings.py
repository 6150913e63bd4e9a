"""How a guardrail stands after the windows so far: what is stored between two looks. Pure."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from rollout.guardrails import Guardrail, Metric, steps
from rollout.sequential import (
    HIGHER,
    LOWER,
    NO_EVIDENCE,
    Evidence,
    Trials,
    against_primary,
    against_share,
    highest,
    lowest,
)
from rollout.windows import NO_UNITS, Arm, Window, bucket_of, percentile

SLOW_SHARE = 0.05
"""Of the units; the rest is as fast as the 95th percentile or faster."""
DRIFT = 1.2
"""How many times what it was before the primary's share may be by now, once no primary arm shows it."""
FLOOR_DOUBT = 0.05
"""The part of alpha that pays for a floor being measured and not known."""
_NO_TRIALS = Trials(0, 0)
_NOTHING = (0.0,) * len(LOWER)
_SETTLED_UNITS = 200
"""From so many durations on, their 95th percentile is worth comparing with."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that the verdict on one guardrail is made from. It holds nothing but numbers.

    Attributes:
        stage: of the newest window, or None before the first. What is said to be of the stage starts afresh with it.
        trials: of the stage: units, and those that count against the guardrail. Divergent reads are of all stages.
        newest: the same of the newest window alone, with what `Guardrail.hard` is about.
        primary: what the primary arm did in the whole rollout.
        primary_stage: the number of the latest stage that had one, or None.
        edge: the bucket that the primary's 95th percentile is in, by all windows so far: the next is compared by it.
        worse: evidence that the tolerated limit is exceeded.
        better: for each of `LOWER`, the logarithm of the stage's evidence that the harmful limit is kept.
        lag_seconds: by the newest window.
    """

    stage: int | None = None
    trials: Trials = _NO_TRIALS
    newest: Trials = _NO_TRIALS
    primary: Arm = NO_UNITS
    primary_stage: int | None = None
    edge: int | None = None
    worse: Evidence = NO_EVIDENCE
    better: tuple[float, ...] = _NOTHING
    lag_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Standing":
        """Return what `as_json` has stored. Raises TypeError or ValueError for anything else."""
        return cls(
            stage=stored["stage"],
            trials=Trials(**stored["trials"]),
            newest=Trials(**stored["newest"]),
            primary=Arm(**{**stored["primary"], "durations": tuple(stored["primary"]["durations"])}),
            primary_stage=stored["primary_stage"],
            edge=stored["edge"],
            worse=Evidence(**{**stored["worse"], "logs": tuple(stored["worse"]["logs"])}),
            better=tuple(stored["better"]),
            lag_seconds=stored["lag_seconds"],
        )


def update(guardrail: Guardrail, standing: Standing, window: Window) -> Standing:
    """Return how the guardrail stands after one more window."""
    if window.stage != standing.stage:
        kept = standing.trials.failed if guardrail.metric is Metric.DIVERGENT_COUNT else 0
        standing = replace(standing, stage=window.stage, trials=Trials(0, kept), better=_NOTHING)
    match guardrail.metric:
        case Metric.LAG:
            known = window.lag_seconds is not None
            return replace(_counted(standing, Trials(int(known), 0)), lag_seconds=window.lag_seconds)
        case Metric.DIVERGENT_COUNT:
            return _counted(standing, Trials(window.compared, window.divergent))
        case Metric.STALE_SHARE:
            return _of_one_arm(guardrail, standing, Trials(window.compared, window.stale))
        case Metric.FALLBACK_SHARE:
            return _of_one_arm(guardrail, standing, Trials(window.reads, window.fallbacks))
        case Metric.ERROR_RATE:
            return _of_errors(guardrail, standing, window)
        case Metric.LATENCY_RATIO:
            return _of_durations(guardrail, standing, window)


def _of_one_arm(guardrail: Guardrail, standing: Standing, trials: Trials) -> Standing:
    part, whole = (guardrail.floor.part, guardrail.floor.whole) if guardrail.floor else (0, 0)
    doubt = guardrail.alpha * FLOOR_DOUBT
    tolerated = guardrail.tolerated_share + (guardrail.tolerated_ratio * highest(part, whole, doubt) if whole else 0)
    harmful = guardrail.harmful_share + guardrail.harmful_ratio * lowest(part, whole, doubt)
    worse = standing.worse.after(trials.units, against_share(trials, tolerated, HIGHER))
    return _counted(
        replace(standing, worse=worse, better=_added(standing.better, against_share(trials, harmful, LOWER))), trials
    )


def _of_errors(guardrail: Guardrail, standing: Standing, window: Window) -> Standing:
    trials = Trials(window.replica.units, window.replica.failed, window.primary.units, window.primary.failed)
    before = Trials(standing.primary.units, standing.primary.failed)
    primary = Arm(before.units + trials.primary_units, before.failed + trials.primary_failed)
    return _seen(_compared(guardrail, standing, trials, trials, before), window, primary)


def _of_durations(guardrail: Guardrail, standing: Standing, window: Window) -> Standing:
    """Compare shares of slow units: the primary's from its 95th percentile on, the replica's from so many times that.

    If the replica is slower by no more, its share is the smaller one wherever the percentile really is. So its estimate
    may be wrong, but must not come from the units that it is applied to: it is that of the windows before. The bucket
    that the percentile is in counts as slow as a whole: where durations jump, at the 95th percentile of all places, the
    buckets after it would hold nothing that a slower replica changes.
    """
    mine, theirs = window.replica.durations, window.primary.durations
    if standing.edge is not None:
        edge, units = standing.edge, sum(mine)
        primary = sum(theirs), sum(theirs[edge:])
        worse = Trials(units, sum(mine[edge + steps(guardrail.tolerated_ratio) :]), *primary)
        better = Trials(units, sum(mine[edge + steps(guardrail.harmful_ratio) :]), *primary)
        before = Trials(sum(standing.primary.durations), sum(standing.primary.durations[edge:]))
        standing = _compared(guardrail, standing, worse, better, before)
    if guardrail.hard is not None:
        standing = replace(standing, newest=Trials(sum(mine), sum(mine[bucket_of(guardrail.hard) + 1 :])))
    if not window.primary.units:
        return standing
    standing = _seen(standing, window, standing.primary + window.primary)
    if sum(standing.primary.durations) < _SETTLED_UNITS:
        return standing
    return replace(standing, edge=percentile(standing.primary.durations, SLOW_SHARE))


def _compared(
    guardrail: Guardrail,
    standing: Standing,
    worse: Trials,
    better: Trials,
    before: Trials,
) -> Standing:
    """Count one window's trials of both arms, or of the replica's alone against what the primary's arm did before."""
    ratios = (1.0, 1.0)
    if guardrail.metric is not Metric.LATENCY_RATIO:
        ratios = guardrail.tolerated_ratio, guardrail.harmful_ratio
    if worse.primary_units:
        room = guardrail.harmful_share * (better.units + better.primary_units) / better.units if better.units else 0.0
        less = against_primary(better, ratios[1], room, LOWER)
        more = against_primary(worse, ratios[0], guardrail.tolerated_share, HIGHER)
        standing = replace(standing, better=_added(standing.better, less))
    elif before.units:
        share = DRIFT * highest(before.failed, before.units, guardrail.alpha * FLOOR_DOUBT)
        more = against_share(worse, min(1.0, ratios[0] * share + guardrail.tolerated_share), HIGHER)
    else:
        return standing
    return _counted(replace(standing, worse=standing.worse.after(worse.units, more)), worse)


def _added(logs: tuple[float, ...], factors: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(map(float.__add__, logs, factors))


def _counted(standing: Standing, trials: Trials) -> Standing:
    return replace(standing, trials=standing.trials + trials, newest=trials)


def _seen(standing: Standing, window: Window, primary: Arm) -> Standing:
    """Remember what the primary's arm did: the longer, the better it is known once there is none any more."""
    return replace(standing, primary=primary, primary_stage=window.stage) if window.primary.units else standing
