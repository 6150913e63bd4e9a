"""What is measured in turn: who routes reads, and how many of them may go to replicas. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.systems import OWN, SYSTEMS

NOBODY = "none"
"""The project without any router."""

ENDPOINTS = ("shop:product-list", "shop:product-detail", "shop:search", "shop:api-products", "shop:report")
"""What the rules are for: all that is read."""

FLAG = "shop-on-replicas"


@dataclass(frozen=True, slots=True)
class Configuration:
    """system: whose processes serve. percent: of the actors, for Readshift. replicas: in rotation, for Readshift."""

    name: str
    system: str
    percent: float = 0.0
    replicas: int = 2
    writes: bool = False


PRIMARY_ONLY, ONE, TWO, MOVED = "primary_only", "one_replica", "two_replicas", "moved"
PEERS = tuple(system for system in SYSTEMS if system != OWN)
WITH_WRITES = "_with_writes"

_READS = (
    Configuration(PRIMARY_ONLY, NOBODY),
    # As many of the actors as leaves each server that takes part with an equal part.
    Configuration(ONE, OWN, 50, replicas=1),
    Configuration(TWO, OWN, 66.7),
    Configuration(MOVED, OWN, 100),
    *(Configuration(peer, peer) for peer in PEERS),
)


def configurations(*, writes: bool) -> Mapping[str, Configuration]:
    """Return all of them by name, in order. writes: also those under which customers write."""
    found = {each.name: each for each in _READS}
    if writes:
        for each in _READS:
            name = each.name + WITH_WRITES
            found[name] = Configuration(name, each.system, each.percent, each.replicas, writes=True)
    return found
