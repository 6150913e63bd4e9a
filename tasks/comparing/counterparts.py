"""Which replica a read is compared with. Pure."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from rollout.options import Cluster
from routers.health import Fitness

_BEARS_MORE = frozenset({Fitness.FIT, Fitness.RECOVERING, Fitness.NOT_A_STANDBY})
"""What may be asked. A logical subscriber is no standby, and can be compared all the same."""


def choose_replica(
    cluster: Cluster,
    pool: str,
    alias: str,
    drained: AbstractSet[str],
    pick: Callable[[Sequence[str]], str],
) -> str | None:
    """Return the replica that answered the read, or, if it was none, one of those that could have; None without any.

    alias: the server that answered. drained: aliases that an operator has taken out of service. pick: chooses one.
    """
    members = [
        each.alias for each in cluster.replicas if each.pool == pool and each.weight and each.alias not in drained
    ]
    if alias in members:
        return alias
    return pick(members) if members else None


def bears_more(fitness: Fitness) -> bool:
    """Say whether a replica may be asked for comparison's sake: one that is down or behind has enough to do."""
    return fitness in _BEARS_MORE
