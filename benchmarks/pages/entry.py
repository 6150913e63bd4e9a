"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form

BOUNDS = {"overview_ms": 150.0, "overview_queries": 25, "refresh_ms": 50.0, "refresh_queries": 8}
"""What each figure may be at most."""


def bounds(figures: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result."""
    return [Bound(name, figures[name], most=most) for name, most in BOUNDS.items()]


ENTRY = Entry(
    short=Form("--times 5", 180, "The short form takes medians of 5 requests instead of 30."),
    full=Form("", 600),
    bounds=bounds,
)
