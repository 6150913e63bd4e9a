"""Which percentages waffle can hold. Pure."""

from decimal import Decimal

from django.core.exceptions import ValidationError

from rollout.gates import EVERYBODY, NOBODY

FINEST_STEP = Decimal("0.1")
"""Waffle stores percentages with one decimal place."""


def check_percent(percent: Decimal) -> None:
    """Raise ValidationError unless waffle can hold the percentage: 0 to 100 in steps of 0.1."""
    if not percent.is_finite() or not NOBODY <= percent <= EVERYBODY:
        raise ValidationError(f"{percent} percent is outside 0 to 100. Nothing was changed.")
    if percent % FINEST_STEP:
        raise ValidationError(f"{percent} percent is finer than waffle stores. Use one decimal place at most.")
