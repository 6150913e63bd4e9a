"""The facts about one read, gathered for the ladder: what a unit is, wrote and saw, and what replicas are known for."""

from django.db.models import Model

from rollout.contracts import Contract
from rollout.deny import is_denied
from rollout.options import Cluster
from rollout.reasons import Reason
from rollout.settings import get_settings
from routers.freshness import Check
from routers.ladder import Situation
from routers.overriding import overriding
from routers.replicas import replicas
from routers.transactions import in_transaction
from routers.unit import Block, Unit


def situation_of(
    cluster: Cluster, model: type[Model] | None, unit: Unit, block: Block | None, obstacle: Reason | None
) -> Situation:
    """Return what the ladder has to know about a read of this model in a unit, in this thread, now.

    model: None for a read of which no more than the endpoint is known. obstacle: why no policy may decide, or None.
    """
    settings = get_settings()
    wait_seconds = settings.wait_seconds if block is None or block.wait_seconds is None else block.wait_seconds

    def objection(alias: str, contract: Contract, is_observed: bool) -> Reason | None:
        if overriding.is_confined(cluster.primary):
            return None
        return Check(cluster, unit, asks=not is_observed, wait_seconds=wait_seconds).objection(alias, contract)

    return Situation(
        cluster=cluster,
        endpoint=unit.endpoint,
        model=model._meta.label if model is not None else "",
        is_denied=model is not None and is_denied(model, settings.deny),
        is_safe=unit.is_safe,
        in_transaction=in_transaction(cluster.primary, unit.atomic_aliases),
        has_written=cluster.primary in unit.trail.written,
        block=block,
        obstacle=obstacle,
        affinity=unit.affinity,
        kept=unit.trail.kept,
        opens=unit.opens,
        is_gone=lambda alias: replicas.gone_since(alias) is not None,
        objection=objection,
    )
