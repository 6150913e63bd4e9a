"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form

BOUNDS = {"unfit_share": 0.0, "questions_per_second": 5.0, "hang_seconds": 3.2}
"""What each figure of the simulation may be at most."""


def bounds(figures: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result."""
    return [Bound(f"simulated.{name}", figures["simulated"][name], most=most) for name, most in BOUNDS.items()]


ENTRY = Entry(
    short=Form(
        "--seconds 12 --spans 1",
        240,
        "The short form kills three leaders instead of ten, and takes costs from one span instead of four.",
    ),
    full=Form("", 900),
    bounds=bounds,
)
