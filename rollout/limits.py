"""The guardrails of a plan as JSON: which metrics, and what differs from the usual limits. Pure."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from django.core.exceptions import ValidationError

from rollout.guardrails import Floor, Guardrail, Metric, share_out, usual

_SHARED_OUT = {"metric", "alpha"}
_KEYS = ("metric", *(option.name for option in fields(Guardrail) if option.name not in _SHARED_OUT))
_COUNT = "minimum"


def parse_limits(raw: object) -> tuple[Guardrail, ...]:
    """Return the guardrails that JSON describes, with alpha shared out among them.

    Each entry names a metric and what is not as usual, such as {"metric": "lag", "hard": 5, "trial": true}. Raises
    ValidationError, which names the entry, for an unknown metric or limit, and for limits that say nothing.
    """
    if not isinstance(raw, list) or not raw:
        raise ValidationError(
            f"The guardrails are {raw!r}. Name one or more, such as {_example()}: without any, the plan would hold "
            f"for ever."
        )
    guardrails = [_guardrail(entry) for entry in raw]
    metrics = [guardrail.metric for guardrail in guardrails]
    for metric in metrics:
        if metrics.count(metric) > 1:
            raise ValidationError(f"The guardrails name {metric} more than once. Give it one entry.")
    return share_out(guardrails)


def limits_of(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    """Return the usual guardrails of these metrics as `parse_limits` reads them."""
    return [{"metric": metric.value} for metric in metrics]


def _guardrail(raw: object) -> Guardrail:
    if not isinstance(raw, Mapping) or "metric" not in raw:
        raise ValidationError(f"The guardrail {raw!r} names no metric. Write it as {_example()}.")
    if unknown := sorted(map(str, raw.keys() - set(_KEYS))):
        raise ValidationError(
            f"The guardrail of {raw['metric']!r} has the unknown limit {', '.join(unknown)}. Known are: "
            f"{', '.join(_KEYS[1:])}."
        )
    try:
        guardrail = usual(str(raw["metric"]))
        return replace(guardrail, **{key: _value(key, raw[key]) for key in raw if key != "metric"})
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _value(key: str, raw: object) -> Any:
    """Return a limit of the type that a guardrail takes. Raises ValueError for any other."""
    if key == "trial":
        wanted, is_right = "true or false", isinstance(raw, bool)
    elif key == "floor":
        wanted, is_right = '{"part": 3, "whole": 1000} or null', raw is None or _is_floor(raw)
    elif key == _COUNT:
        wanted, is_right = "a whole number", _is_number(raw) and isinstance(raw, int)
    else:
        wanted, is_right = "a number, 0 or above", _is_number(raw) or (raw is None and key == "hard")
    if not is_right:
        raise ValueError(f"The limit {key} is {raw!r}. Write {wanted}.")
    return Floor(**raw) if isinstance(raw, Mapping) else raw


def _is_number(raw: object) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw < float("inf")


def _is_floor(raw: object) -> bool:
    if not isinstance(raw, Mapping) or set(raw) != {"part", "whole"}:
        return False
    part, whole = raw["part"], raw["whole"]
    are_counts = all(_is_number(count) and isinstance(count, int) for count in (part, whole))
    return are_counts and part <= whole


def _example() -> str:
    return '{"metric": "error_rate", "harmful_ratio": 3, "trial": true}'
