"""Numbers as the pages write them. Never localised by a template: a comma would break a coordinate."""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from django.utils import timezone

from rollout.windows import BUCKETS, begin_of
from tasks.reporting.words import NARROW_SPACE, SECONDS_FROM_MS, milliseconds

WHOLE = 100

_DURATIONS = ((2 * 86_400, 86_400, "days"), (3_600, 3_600, "h"), (60, 60, "min"), (1, 1, "s"))
_SIZES = ((1024**4, "TB"), (1024**3, "GB"), (1024**2, "MB"), (1024, "kB"))


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


def measured_share(part: int, whole: int) -> str:
    """Write `measured(share_of(part, whole))`, for charts, which have hundreds of them, at a tenth of the cost."""
    tenths = part * 1000 // whole if whole else 0
    return f"{tenths // 10}.{tenths % 10}{NARROW_SPACE}%"


def duration(seconds: float) -> str:
    """Write how long something lasts in whole units, rounded down: 12 s, 3 min, 47 h, 2 days."""
    for starts_at, unit, name in _DURATIONS:
        if seconds >= starts_at:
            return f"{int(seconds // unit)} {name}"
    return "less than 1 s"


def took(seconds: float) -> str:
    """Write how long a unit took, which counts know up to 35 s: 40 ms, 1.2 s, 34.6 s or more."""
    words = milliseconds(seconds * SECONDS_FROM_MS)
    return f"{words} or more" if seconds >= begin_of(BUCKETS - 1) else words


def size(count: int) -> str:
    """Write a number of bytes in whole units of 1024, rounded down, as PostgreSQL calls them: 12 kB."""
    for unit, name in _SIZES:
        if count >= unit:
            return f"{count // unit} {name}"
    return f"{count} bytes"


def clock(moment: datetime) -> str:
    """Write the time of day in the active time zone: 03:15."""
    return f"{timezone.localtime(moment):%H:%M}"


def exact_clock(moment: datetime) -> str:
    """Write the time of day with seconds: 03:15:30."""
    return f"{timezone.localtime(moment):%H:%M:%S}"
