"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form
from benchmarks.systems import OWN

LEAST_SHARE_AT_LOW_LAG = 0.8


def bounds(results: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result, which holds the figures of each system. Without Readshift's there are none."""
    if OWN not in results:
        return []
    own, peers = results[OWN], {name: result for name, result in results.items() if name != OWN}
    violations = [
        Bound(
            f"{OWN}.violations.{kind}",
            count,
            most=0,
            peers={name: peer["violations"][kind] for name, peer in peers.items()},
        )
        for kind, count in own["violations"].items()
    ]
    share, errors = (
        {name: peer[figure] for name, peer in peers.items()} for figure in ("replica_share_low_lag", "http_errors")
    )
    return [
        *violations,
        # Null when nothing was read while the lag was low.
        Bound(f"{OWN}.replica_share_low_lag", own["replica_share_low_lag"], least=LEAST_SHARE_AT_LOW_LAG, peers=share),
        Bound(f"{OWN}.http_errors", own["http_errors"], most=0, peers=errors),
    ]


ENTRY = Entry(
    short=Form("--seconds 12", 420, "The short form has no switchover, which a run of 30 seconds has."),
    full=Form("--seconds 600", 3600),
    bounds=bounds,
)
