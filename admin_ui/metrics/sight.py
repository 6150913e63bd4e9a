"""How this process sees the servers, as gauges. It asks nobody: what the last probes found is in memory."""

import math
import time
from collections.abc import Iterator

from admin_ui.metrics import families
from admin_ui.metrics.samples import Sample
from rollout.settings import get_settings
from routers.health import Fitness
from routers.primaries import Condition
from routers.replicas import replicas


def see_servers() -> Iterator[Sample]:
    """Yield the standing of every server that this process has asked. One that it knows nothing about has no series."""
    settings, now = get_settings(), time.monotonic()
    for cluster in settings.clusters.values():
        primary = replicas.primary(cluster.primary)
        if primary.condition is not Condition.UNKNOWN:
            yield Sample(families.PRIMARY_DOWN, (cluster.primary,), float(primary.is_down))
        for replica in cluster.replicas:
            standing, own = replicas.standing(replica.alias), (cluster.primary, replica.alias, replica.pool)
            if math.isinf(standing.seen_at):
                continue
            is_fresh = now - standing.seen_at <= settings.longest_trust_seconds
            state = standing.fitness if is_fresh else Fitness.UNRESPONSIVE
            is_fit = standing.is_fit(now, settings.longest_trust_seconds)
            yield Sample(families.FIT, (*own, state.value), float(is_fit))
            if is_fresh and standing.lag.seconds is not None:
                yield Sample(families.LAG, own, standing.lag.seconds)
