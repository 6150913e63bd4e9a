"""Two windows of made-up units."""

from datetime import UTC, datetime, timedelta
from typing import Any

from admin_ui.baselines.changes import Comparison
from admin_ui.baselines.comparing import MARGIN, compare
from rollout.endpoint_sums import EndpointSums, Span
from rollout.windows import histogram

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURS = (Span(NOON - timedelta(hours=2), NOON - timedelta(hours=1)), Span(NOON - timedelta(hours=1), NOON))


def sums(milliseconds: float = 10.0, units: int = 2_000, slow: float | None = None, **counts: Any) -> EndpointSums:
    """Return units that all took so long, but for a tenth of them if `slow` says how long those took."""
    slow_units = units // 10 if slow is not None else 0
    seconds = [milliseconds / 1_000] * (units - slow_units) + [(slow or 0) / 1_000] * slow_units
    return EndpointSums(units=units, durations=histogram(seconds), **{"reads": units, **counts})


def compared(before: EndpointSums | None, after: EndpointSums | None, margin: float = MARGIN) -> Comparison:
    """Compare one endpoint, of which nothing was counted in a window without sums."""
    first, second = ({"names": each} if each is not None else {} for each in (before, after))
    return compare("before", first, second, HOURS, margin)
