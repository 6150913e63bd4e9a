"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form

LEAST_RATIO = 2.6
LEAST_MOVED = 0.95


def bounds(figures: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result."""
    # What was not held to equal shares cannot miss a bound on them.
    unheld = (
        "" if figures["cpu_share"] is not None else f"nothing holds servers to shares: {figures['cpu_share_reason']}"
    )
    peers = {name: peer.get("ratio") for name, peer in figures["peers"].items()}
    return [
        Bound("ratio_two_replicas", figures["ratio_two_replicas"], least=LEAST_RATIO, peers=peers, unjudged=unheld),
        Bound("primary_reads_moved", figures["primary_reads_moved"], least=LEAST_MOVED),
        *(Bound(f"{name}.errors", found["errors"], most=0) for name, found in _configurations(figures)),
    ]


def _configurations(figures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    groups = {"": figures, "peers.": figures["peers"], "with_writes.": figures["with_writes"]}
    for prefix, group in groups.items():
        for name, found in group.items():
            if isinstance(found, Mapping) and "errors" in found:
                yield f"{prefix}{name}", found


ENTRY = Entry(
    short=Form("--seconds 60", 180, "The short form has no background writes, and one window for each configuration."),
    full=Form("", 1200),
    bounds=bounds,
)
