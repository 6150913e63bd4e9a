"""What a staged rollout is held to: one guardrail for each thing that may get worse. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log2

from rollout.windows import STEPS_PER_DOUBLING

ALPHA = 0.01
"""How probably a rollout that changes nothing is ever taken back, by all its guardrails together."""


class Metric(StrEnum):
    """What a guardrail watches. The values are stored and typed, so they keep their meaning."""

    ERROR_RATE = "error_rate"
    LATENCY_RATIO = "latency_ratio"
    LAG = "lag"
    STALE_SHARE = "stale_share"
    DIVERGENT_COUNT = "divergent_count"
    FALLBACK_SHARE = "fallback_share"

    @classmethod
    def named(cls, name: str) -> "Metric":
        """Return the metric of that name. Raises ValueError, which lists the known ones, for any other."""
        try:
            return cls(name)
        except ValueError:
            raise ValueError(f"There is no metric {name!r} to guard. Known are: {', '.join(cls)}.") from None

    @property
    def has_two_arms(self) -> bool:
        """Whether the replica's arm is compared with the primary's arm of the same windows."""
        return self in {Metric.ERROR_RATE, Metric.LATENCY_RATIO}

    @property
    def is_statistical(self) -> bool:
        """Whether chance alone could make it look bad, so that it is tested."""
        return self not in {Metric.LAG, Metric.DIVERGENT_COUNT}


@dataclass(frozen=True, slots=True)
class Floor:
    """What a share was before the rollout: `part` of `whole` shadow reads, or reads."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A limit to one metric.

    Statistical metrics have two limits. What is surely above the tolerated one fails; what is surely below the harmful
    one passes; in between and before that, it holds. The first is the lower, as what is only a little worse need not be
    taken back but must not be taken for good either.

    Attributes:
        metric: what is watched.
        tolerated_ratio: how many times the primary's share, or the floor, is tolerated. Of durations for the latency.
        tolerated_share: how much more than that is, as a share of the replica's units. Not for the latency.
        harmful_ratio: from how many times the primary's share, or the floor, on the rollout must not go on.
        harmful_share: how much more than that may be, as a share of the units of both arms: an arm of 1 % may
            fail on a hundred times as many of its own before that harms as many users. Not for the latency.
        floor: what a metric without a primary arm was before. Without it only the shares count.
        hard: the limit that is never exceeded whatever the primary does: seconds of lag, number of divergent reads,
            share of failures, or, for the latency, seconds that the 95th percentile may take. None: there is none.
        minimum: units, reads, or, for the lag, windows that know it: what a stage needs before it can pass.
        trial: whether it only says what it would have done.
        alpha: how probably it fails when all is well; see `share_out`.

    Raises ValueError for limits that no rollout could keep or that say nothing.
    """

    metric: Metric
    tolerated_ratio: float = 1.0
    tolerated_share: float = 0.0
    harmful_ratio: float = 1.0
    harmful_share: float = 0.0
    floor: Floor | None = None
    hard: float | None = None
    minimum: int = 100
    trial: bool = False
    alpha: float = ALPHA

    def __post_init__(self) -> None:
        if self.minimum < 1:
            raise ValueError(
                f"{self.metric}: a minimum sample of {self.minimum} lets nothing pass for good. Give 1 or more."
            )
        if not 0 < self.alpha < 1:
            raise ValueError(f"{self.metric}: alpha {self.alpha} is no probability. Give one between 0 and 1.")
        if not self.metric.is_statistical:
            if self.hard is None:
                raise ValueError(f"{self.metric} has no limit. Give `hard`.")
        elif self.metric is Metric.LATENCY_RATIO:
            if not 1 <= steps(self.tolerated_ratio) < steps(self.harmful_ratio):
                raise ValueError(
                    f"{self.metric}: from {self.tolerated_ratio} to {self.harmful_ratio} times is no room. Durations "
                    "are kept in steps of 15 %: tolerate 1.15 times or more, and set the harmful ratio a step higher."
                )
        elif self.tolerated_ratio < 0 or self.tolerated_share < 0 or not self._has_room:
            raise ValueError(
                f"{self.metric}: what is tolerated ({self.tolerated_ratio} times and {self.tolerated_share}) must be "
                f"less than what is harmful ({self.harmful_ratio} times and {self.harmful_share})."
            )

    @property
    def _has_room(self) -> bool:
        ratio, share = self.harmful_ratio - self.tolerated_ratio, self.harmful_share - self.tolerated_share
        has_ratio = self.metric.has_two_arms or self.floor is not None
        return ratio >= 0 and share >= 0 and (share > 0 or (ratio > 0 and has_ratio))


def steps(ratio: float) -> int:
    """Return by how many buckets of durations a ratio moves them, to the nearest."""
    return round(log2(ratio) * STEPS_PER_DOUBLING) if ratio > 0 else 0


def usual(name: str) -> Guardrail:
    """Return what a metric is held to unless the plan says otherwise. Raises ValueError for an unknown one.

    The lag's limit is half of what `GREATEST_LAG_SECONDS` is unless it is set, from where on a replica serves nobody.
    Of fallbacks much is tolerated: they come in bursts, whenever a replica is behind or new actors are let go, and all
    they do is to read where they did before.
    """
    return _USUAL[Metric.named(name)]


_USUAL = {
    guardrail.metric: guardrail
    for guardrail in (
        Guardrail(Metric.ERROR_RATE, tolerated_ratio=1.1, harmful_ratio=2.0, harmful_share=0.00005),
        Guardrail(Metric.LATENCY_RATIO, tolerated_ratio=1.15, harmful_ratio=1.5),
        Guardrail(Metric.LAG, hard=5.0, minimum=6),
        Guardrail(Metric.STALE_SHARE, tolerated_share=0.003, harmful_share=0.02),
        Guardrail(Metric.DIVERGENT_COUNT, hard=0.0),
        Guardrail(Metric.FALLBACK_SHARE, tolerated_share=0.2, harmful_share=0.5),
    )
}


def share_out(guardrails: Iterable[Guardrail], alpha: float = ALPHA) -> tuple[Guardrail, ...]:
    """Return the guardrails, each statistical one with an equal part of alpha, so that all together have alpha.

    One in trial has its part too: what it says does not change on the day that it gets power.
    """
    guardrails = tuple(guardrails)
    parts = sum(guardrail.metric.is_statistical for guardrail in guardrails)
    return tuple(
        replace(guardrail, alpha=alpha / parts) if guardrail.metric.is_statistical else guardrail
        for guardrail in guardrails
    )
