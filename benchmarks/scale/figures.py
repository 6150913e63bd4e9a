"""The bounds that the benchmark holds Readshift to. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_SECONDS = 1.0
"""For a notification to reach the last connection."""
MOST_SWITCH_CORE_SECONDS = 1.0
"""For the primary to tell all processes that the kill switch is off."""
MOST_MERGE_CORES = 1.0
"""For merging, with a minute between flushes. One task does it, so that it would never be done with more."""


def missed(figures: Mapping[str, Any]) -> list[str]:
    """Return each bound that was missed, in words."""
    return list(_missed(figures))


def _missed(figures: Mapping[str, Any]) -> Iterator[str]:
    computed = figures["computed"]
    if (seconds := figures["idle"]["notify"]["seconds_to_the_last"]) > LONGEST_SECONDS:
        yield f"a notification took {seconds} s to the last connection"
    if (seconds := computed["change"]["kill_switch_core_seconds"]) > MOST_SWITCH_CORE_SECONDS:
        yield f"the kill switch costs the primary {seconds} s of a core"
    if lost := figures["merge"]["counts_lost"]:
        yield f"merging has changed sums by {lost}"
    if (cores := computed["statistics"]["60"]["merge_cores"]) > MOST_MERGE_CORES:
        yield f"merging needs {cores} cores"
