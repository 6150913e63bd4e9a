"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form
from benchmarks.shadow.figures import DELAY_MS

GREATEST_RATIO = 1.03
GREATEST_ERROR_MS = 300.0
MOST_MEMORY_MB = 64.0


def bounds(figures: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result. What was not measured, a phase that was not run, is not among them."""
    planted = figures["planted"]
    ranges: dict[str, tuple[float | None, float | None]] = {
        "comparisons": (figures["fewest_comparisons"], None),
        "false_divergent": (None, 0),
        "planted": (1, None),
        "found": (planted, planted),
        "causes_right": (planted, planted),
        "request_overhead_ratio": (None, GREATEST_RATIO),
        "broker_down_ratio": (None, GREATEST_RATIO),
        "http_errors": (None, 0),
        "staleness_ms_median": (DELAY_MS - GREATEST_ERROR_MS, DELAY_MS + GREATEST_ERROR_MS),
        "peak_memory_mb": (None, MOST_MEMORY_MB),
    }
    return [
        Bound(name, figures[name], least, most) for name, (least, most) in ranges.items() if figures[name] is not None
    ]


ENTRY = Entry(
    short=Form(
        "--seconds 30 --phase planted",
        240,
        "The short form plants faults; it compares nothing under load, and tells neither staleness nor costs.",
    ),
    full=Form("", 2400),
    bounds=bounds,
)
