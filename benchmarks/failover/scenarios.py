"""The scenarios: a fault, what it hits, and the bounds that Readshift must keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.failover import faults
from benchmarks.failover.history import PRIMARY
from benchmarks.failover.site import REPLICAS

FALLBACK_SHARE = 0.3
"""The fallback budget of the scenario `budget`, as a share of all reads."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens, and what may come of it.

    faulted: the aliases whose servers are at fault. eject_seconds, longest_ms: bounds, if there are any.
    options: further ones for Readshift. over_budget: what its rules do over the fallback budget, if they say so.
    primary_ratio: the greatest share of the reads that the primary may serve; above it, reads may be shed.
    """

    name: str
    fault: faults.Fault
    faulted: tuple[str, ...] = (REPLICAS[0],)
    eject_seconds: float | None = None
    longest_ms: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    over_budget: str = ""
    primary_ratio: float | None = None


def scenarios() -> dict[str, Scenario]:
    """Return all scenarios by name, in the order in which they are run."""
    found = [
        Scenario("kill", faults.kill, eject_seconds=1.0),
        Scenario("hang", faults.hang, eject_seconds=3.0, longest_ms=3500.0),
        Scenario("blackhole", faults.black_hole, eject_seconds=3.0, longest_ms=3500.0),
        Scenario("restart", faults.restart, eject_seconds=1.0),
        Scenario("slow", faults.slow, eject_seconds=3.0, longest_ms=3500.0),
        Scenario("lag", faults.lag),
        Scenario("flap", faults.flap),
        Scenario("all_replicas_killed", faults.kill_all_replicas, REPLICAS),
        Scenario("primary_killed", faults.kill_primary, (PRIMARY,)),
        Scenario(
            "budget",
            faults.kill_all_replicas,
            REPLICAS,
            options={"FALLBACK_SHARE": FALLBACK_SHARE},
            over_budget="shed",
            primary_ratio=FALLBACK_SHARE,
        ),
    ]
    return {scenario.name: scenario for scenario in found}
