"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form
from benchmarks.failover.stack import WEB_THREADS, WEB_WORKERS
from benchmarks.systems import OWN

GREATEST_MEMORY_GROWTH = 1.1
MOST_CONNECTIONS = WEB_WORKERS * (WEB_THREADS + 2)
"""Of each worker: one for each thread, a probe's, and, to the primary, the agent's."""

SHORTEST_JUDGED_SECONDS = 300.0
"""What workers hold grows at first in any run, as modules are loaded and caches filled."""


def bounds(result: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result."""
    own = result[OWN]
    unjudged = ""
    if own["seconds"] < SHORTEST_JUDGED_SECONDS:
        unjudged = f"{own['seconds']} s; growth is judged from {SHORTEST_JUDGED_SECONDS:g} s on"
    memory, files = own["memory_mb"], own["files"]
    return [
        Bound("reads", own["reads"], least=1),
        Bound("failed", own["failed"], most=0),
        *(
            Bound(f"connections.{alias}.last", found and found["last"], most=MOST_CONNECTIONS)
            for alias, found in own["connections"].items()
        ),
        Bound(
            "memory_mb.last / memory_mb.first",
            memory and memory["last"] / memory["first"],
            most=GREATEST_MEMORY_GROWTH,
            unjudged=unjudged,
        ),
        Bound(
            "files.last - files.first",
            files and files["last"] - files["first"],
            most=WEB_WORKERS * WEB_THREADS,
            unjudged=unjudged,
        ),
    ]


ENTRY = Entry(
    short=Form("--seconds 20", 180, "The short form has time for one or two faults, and none for anything to grow."),
    full=Form("--seconds 600", 1800),
    bounds=bounds,
)
