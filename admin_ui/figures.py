"""Numbers as the pages write them. Never localised by a template: a comma would break a coordinate."""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from django.utils import timezone

NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
WHOLE = 100


def grouped(count: int) -> str:
    """Write a count with its thousands set apart: 12 345."""
    return f"{count:,}".replace(",", NARROW_SPACE)


def share_of(part: int, whole: int) -> Decimal:
    """Return the percentage with one decimal place; 0 of nothing is 0.

    It is rounded down, so that 100 means all and never nearly all.
    """
    if not whole:
        return Decimal(0)
    return (Decimal(part) * WHOLE / whole).quantize(Decimal("0.1"), ROUND_DOWN)


def plain(value: Decimal) -> str:
    """Write a number as attributes of HTML and SVG want it: 2.5."""
    return f"{value.normalize():f}"


def percent(value: Decimal) -> str:
    """Write a percentage that somebody set, without superfluous zeros: 25 %."""
    return f"{plain(value)}{NARROW_SPACE}%"


def measured(value: Decimal) -> str:
    """Write a percentage that was measured, always with one decimal place, so that columns of them line up: 25.0 %."""
    return f"{value:.1f}{NARROW_SPACE}%"


def clock(moment: datetime) -> str:
    """Write the time of day in the active time zone: 03:15."""
    return f"{timezone.localtime(moment):%H:%M}"


def exact_clock(moment: datetime) -> str:
    """Write the time of day with seconds: 03:15:30."""
    return f"{timezone.localtime(moment):%H:%M:%S}"
