"""The servers of one run, and the relays in front of them through which the application sees them."""

from dataclasses import dataclass

from benchmarks.failover.history import PRIMARY
from benchmarks.relays import Relays
from demo.cluster import Cluster, Server

REPLICAS = ("replica1", "replica2")
ALIASES = (PRIMARY, *REPLICAS)
_REPLAY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Site:
    """What faults are done to, by the aliases that the application has for its servers. victim: a replica's alias."""

    cluster: Cluster
    relays: Relays
    victim: str = REPLICAS[0]

    def server(self, alias: str) -> Server:
        """Return the server behind an alias."""
        return self.cluster.servers[ALIASES.index(alias)]

    def black_hole(self, alias: str) -> None:
        """Let the network swallow all that the application and this server send each other."""
        self.relays.black_hole(ALIASES.index(alias))

    def restore(self, alias: str) -> None:
        """Let the network deliver what it held back, and all that comes."""
        self.relays.restore(ALIASES.index(alias))

    def delay(self, alias: str, seconds: float) -> None:
        """Let everything that this server sends to the application arrive so much later; 0 ends it."""
        self.relays.delay(ALIASES.index(alias), seconds)

    def settle(self) -> None:
        """Return when both replicas stream and show all that was committed. Raises `TimeoutError`."""
        for replica in self.cluster.replicas:
            replica.wait_until_streaming()
        self.cluster.wait_for_replay(_REPLAY_SECONDS)
