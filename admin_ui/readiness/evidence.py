"""Gathers what the judgement of the clusters rests on, besides what their servers say."""

import time
from datetime import datetime

from django.conf import settings as django_settings
from django.db import connections
from waffle import get_waffle_switch_model

from admin_ui.readiness.assessment import Evidence
from admin_ui.readiness.findings import Finding
from admin_ui.readiness.operations import judge_cache, judge_kill_switch, judge_processes
from admin_ui.readiness.project import Databases
from rollout.loads import loads
from rollout.models import DrainedReplica
from rollout.policy import KILL_SWITCH
from rollout.propagation import read_propagation
from rollout.settings import get_settings
from routers.checks import check_cache, check_probing
from routers.inspection import Inspection
from routers.replicas import replicas


def all_aliases() -> frozenset[str]:
    """Return the aliases of all clusters."""
    return frozenset(alias for cluster in get_settings().clusters.values() for alias in cluster.aliases)


def read_evidence(inspection: Inspection, now: datetime, using: str) -> Evidence:
    """Add to what the servers said what the database of the rules tells, in six queries. Raises what it raises."""
    switch = get_waffle_switch_model()._default_manager.using(using).filter(name=KILL_SWITCH).first()
    return evidence_of(
        inspection,
        loads=dict(loads(get_settings().replicas, now, using)),
        drained=frozenset(DrainedReplica.objects.using(using).values_list("alias", flat=True)),
        operations=(
            judge_kill_switch(None if switch is None else switch.active, is_enabled=get_settings().enabled),
            judge_processes(read_propagation(using)),
        ),
    )


def evidence_of(
    inspection: Inspection,
    *,
    loads: dict[str, float] | None = None,
    drained: frozenset[str] = frozenset(),
    operations: tuple[Finding, ...] = (),
) -> Evidence:
    """Add what this process knows by itself, for when the database of the rules does not answer."""
    settings = get_settings()
    cache = judge_cache(settings.cache, [*check_cache(), *check_probing()])
    return Evidence(
        servers=inspection.servers,
        databases=_databases(),
        greatest_lag=settings.greatest_lag_seconds,
        measured=_measured(),
        loads=loads or {},
        drained=drained,
        operations=(*operations, cache),
    )


def _measured() -> dict[str, float]:
    """Return how many seconds each replica is behind, where this process has asked it a moment ago."""
    trusted_since = time.monotonic() - get_settings().longest_trust_seconds
    standings = {alias: replicas.standing(alias) for alias in get_settings().replicas}
    return {
        alias: standing.lag.seconds
        for alias, standing in standings.items()
        if standing.lag.seconds is not None and standing.seen_at >= trusted_since
    }


def _databases() -> Databases:
    """Return how aliases are set up, with what Readshift adds where the project says nothing."""
    return {alias: connections.settings[alias] for alias in django_settings.DATABASES}
