"""The stages of a rollout: how many actors, for how long, and how much must be seen. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError

from rollout.guardrails import Metric
from rollout.percent import check_percent

_KEYS = ("percent", "minimum_seconds", "minimum_sample")
_MINUTES, _HOURS = 60, 3600


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a rollout.

    percent: of the actors, above 0 up to 100. minimum_seconds: how long it lasts at least. minimum_sample: how many
    units of work its replicas must have served before the next one begins.
    """

    percent: Decimal
    minimum_seconds: int
    minimum_sample: int

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it; the percentage is a text, which loses no digit."""
        return {
            "percent": f"{self.percent.normalize():f}",
            "minimum_seconds": self.minimum_seconds,
            "minimum_sample": self.minimum_sample,
        }


def parse_stages(raw: object) -> tuple[Stage, ...]:
    """Return the stages that JSON describes. Raises ValidationError, which names the stage and what is wrong with it.

    Each percentage must be above the one before: whoever is let through in one stage stays so in all that follow.
    """
    if not isinstance(raw, list) or not raw:
        raise ValidationError(f"The stages are {raw!r}. Give a list of one stage or more, such as [{_example()}].")
    stages = tuple(_stage(number, entry) for number, entry in enumerate(raw, 1))
    for number, (before, after) in enumerate(pairwise(stages), 2):
        if after.percent <= before.percent:
            raise ValidationError(
                f"Stage {number} has {after.percent} %, which is no more than the {before.percent} % before it. "
                f"Let the percentages grow from stage to stage."
            )
    return stages


def as_json(stages: Iterable[Stage]) -> list[dict[str, Any]]:
    """Return stages as `parse_stages` reads them."""
    return [stage.as_json() for stage in stages]


def _stage(number: int, raw: object) -> Stage:
    if not isinstance(raw, Mapping) or set(raw) != set(_KEYS):
        raise ValidationError(f"Stage {number} is {raw!r}. Write it with exactly these keys: {_example()}.")
    return Stage(_percent(number, raw["percent"]), *(_whole(number, key, raw[key]) for key in _KEYS[1:]))


def _percent(number: int, raw: object) -> Decimal:
    is_number = isinstance(raw, int | float | str | Decimal) and not isinstance(raw, bool)
    try:
        percent = Decimal(str(raw)) if is_number else None
    except InvalidOperation:
        percent = None
    if percent is None:
        raise ValidationError(f"Stage {number} has {raw!r} percent. Write a number above 0 up to 100, such as 2.5.")
    try:
        check_percent(percent)
    except ValidationError as error:
        raise ValidationError(f"Stage {number}: {error.message}") from None
    if not percent:
        raise ValidationError(f"Stage {number} has 0 percent, which moves nobody. Begin above 0.")
    return percent


def _whole(number: int, key: str, raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 0:
        raise ValidationError(f"Stage {number} has {raw!r} as {key}. Write a whole number, 0 or above.")
    return raw


def _example() -> str:
    return '{"percent": "5", "minimum_seconds": 600, "minimum_sample": 1000}'


@dataclass(frozen=True, slots=True)
class Template:
    """Stages and the metrics that are guarded in all of them."""

    stages: tuple[Stage, ...]
    metrics: tuple[Metric, ...]


def _stages(*rows: tuple[int, int, int]) -> tuple[Stage, ...]:
    return tuple(Stage(Decimal(percent), seconds, sample) for percent, seconds, sample in rows)


# What gets worse late, when many actors are on replicas, is found by comparing with the primary's arm. So both of the
# patient ones stay for long where it is as small as it can be and still there, before nobody is left to compare with.
TEMPLATES = MappingProxyType(
    {
        "careful": Template(
            _stages(
                (1, 30 * _MINUTES, 500),
                (5, 30 * _MINUTES, 1_000),
                (10, 1 * _HOURS, 2_000),
                (25, 1 * _HOURS, 5_000),
                (50, 4 * _HOURS, 10_000),
                (75, 4 * _HOURS, 10_000),
                (90, 4 * _HOURS, 10_000),
                (99, 24 * _HOURS, 50_000),
                (100, 24 * _HOURS, 50_000),
            ),
            tuple(Metric),
        ),
        "standard": Template(
            _stages(
                (5, 10 * _MINUTES, 500),
                (25, 15 * _MINUTES, 2_000),
                (50, 30 * _MINUTES, 5_000),
                (98, 6 * _HOURS, 20_000),
                (100, 1 * _HOURS, 20_000),
            ),
            tuple(Metric),
        ),
        # Without the two that need shadow reads, which would hold where nobody takes any.
        "fast": Template(
            _stages((10, 2 * _MINUTES, 200), (50, 5 * _MINUTES, 1_000), (100, 5 * _MINUTES, 1_000)),
            (Metric.ERROR_RATE, Metric.LATENCY_RATIO, Metric.LAG, Metric.FALLBACK_SHARE),
        ),
    }
)
"""Ready-made plans by name."""
