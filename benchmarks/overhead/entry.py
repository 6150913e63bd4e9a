"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form

GREATEST_RATIO_TO_MULTIDB = 1.0
GREATEST_READ_RATIO = 1.02
MOST_REQUEST_US = 50.0
GREATEST_RULES_RATIO = 1.2


def bounds(figures: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result."""
    return [
        Bound("ratio_to_multidb", figures["ratio_to_multidb"], most=GREATEST_RATIO_TO_MULTIDB),
        Bound("async.ratio_to_multidb", figures["async"]["ratio_to_multidb"], most=GREATEST_RATIO_TO_MULTIDB),
        Bound("read_ratio_to_constant", figures["read_ratio_to_constant"], most=GREATEST_READ_RATIO),
        Bound("request_us", figures["request_us"], most=MOST_REQUEST_US),
        Bound("rules_10000_ratio", figures["rules_10000_ratio"], most=GREATEST_RULES_RATIO),
        Bound("extra_queries_per_request", figures["extra_queries_per_request"], most=0),
    ]


ENTRY = Entry(
    short=Form(
        "--rounds 10 --no-instructions",
        180,
        "The short form measures 10 rounds instead of 100, and counts no instructions.",
    ),
    full=Form("", 1800),
    bounds=bounds,
)
