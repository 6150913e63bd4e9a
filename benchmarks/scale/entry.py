"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form

LONGEST_SECONDS = 1.0
"""For a notification to reach the last connection."""
MOST_SWITCH_CORE_SECONDS = 1.0
"""For the primary to tell all processes that the kill switch is off."""
MOST_MERGE_CORES = 1.0
"""For merging, with a minute between flushes. One task does it, so that it would never be done with more."""


def bounds(figures: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result."""
    notified, computed = figures["idle"]["notify"]["seconds_to_the_last"], figures["computed"]
    return [
        Bound("idle.notify.seconds_to_the_last", notified, most=LONGEST_SECONDS),
        Bound(
            "computed.change.kill_switch_core_seconds",
            computed["change"]["kill_switch_core_seconds"],
            most=MOST_SWITCH_CORE_SECONDS,
        ),
        Bound("merge.counts_lost", figures["merge"]["counts_lost"], least=0, most=0),
        Bound("computed.statistics.60.merge_cores", computed["statistics"]["60"]["merge_cores"], most=MOST_MERGE_CORES),
    ]


ENTRY = Entry(
    short=Form("--seconds 45", 180, "The short form counts and merges for a shorter time."),
    full=Form("", 900),
    bounds=bounds,
)
