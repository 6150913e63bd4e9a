"""The database router: Django asks, the ladder answers, the unit remembers."""

import logging
from dataclasses import replace
from time import monotonic
from typing import Any

from django.db import connections
from django.db.models import Model

from rollout.bucketing import rank
from rollout.models.rule import OverBudget
from rollout.models.tally import TallyKind
from rollout.options import Cluster
from rollout.policy import Policy
from rollout.reasons import Reason
from rollout.settings import Refresh, get_settings, refresh
from routers.agent import agent
from routers.current import Current, current
from routers.decisions import Asked, Decision
from routers.departures import departures
from routers.fallback import ShedError, account, may_fall_back
from routers.footing import footing
from routers.freshness import Check
from routers.ladder import Situation, decide, unhindered
from routers.meter import decision_series, meter
from routers.overriding import Read, overriding
from routers.prober import prober
from routers.remembered import Marks, Remembered
from routers.replicas import replicas
from routers.situations import situation_of
from routers.unit import Block, Unit

logger = logging.getLogger("readshift")

_PASSING = frozenset({Reason.FORCED_PRIMARY, Reason.STRICT, Reason.DECIDING, Reason.ROUTER_ERROR, Reason.SHED})
"""Reasons that hold for one read only. Every other decision for the primary lasts for the unit: a model once read there
is not read from a replica afterwards, where it may be older."""

_REPEATED = frozenset({Reason.ROUTED, Reason.FORCED_REPLICA})
"""Reasons of decisions that hold until something changes. The primary has its own, in `Unit.settled`."""


class ReplicaRouter:
    """Sends reads where the rules say and everything else to the primary.

    It answers None, which leaves the question to the next router, for models and objects of other databases.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        here = current()
        known = here.remembered.get(model)
        if (
            known is not None
            and known.process_mark is footing.mark
            # A connection that was lost has to be made anew, and may not come about.
            and known.replica.connection is known.replica_session
            and (not hints or known.covers(hints))
        ):
            here.given, known.statements = known, 0
            return known.alias
        return decide_read(model, hints, here)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        cluster = _cluster_for(model, hints)
        if cluster is None:
            return None
        if issubclass(model, Model):
            current().take_down(cluster.primary, Asked(model, Decision(cluster.primary, Reason.WRITE)))
        return cluster.primary

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool | None:  # noqa: ARG002 - Django's protocol
        """Relate objects of one cluster, whichever of its servers they came from."""
        cluster = _cluster_for(obj1._meta.model, {"instance": obj1})
        if cluster is not None and cluster == _cluster_for(obj2._meta.model, {"instance": obj2}):
            return True
        return None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:  # noqa: ARG002 - Django's protocol
        """Refuse to migrate a replica, which gets its tables from the primary."""
        return False if db in get_settings().replicas else None


def decide_read(model: type[Model], hints: dict[str, Any], here: Current) -> str | None:
    """Decide where a read of this model goes, and count it. None leaves the question to the next router.

    hints: Django's. here: the unit and the block that it belongs to. Raises `ShedError` for a read that is refused.
    """
    cluster = _cluster_for(model, hints)
    if cluster is None:
        return None
    if not issubclass(model, Model):
        # Django's cache in the database asks for a stand-in. What is stored there must not be read stale.
        return cluster.primary
    unit = here.unit
    try:
        asked = _answer(cluster, model, here)
    except AssertionError:
        # Django's test cases refuse databases that they did not declare, and should be heard.
        raise
    except Exception:
        logger.exception("Deciding where to read %s failed, so it is read from the primary.", model._meta.label)
        asked = Asked(model, Decision(cluster.primary, Reason.ROUTER_ERROR, is_displaced=unit is not None))
    decision = asked.decision
    if unit is not None and decision.is_displaced:
        unit.trail.note_displaced(cluster.primary, binds=decision.reason not in _PASSING)
    endpoint = unit.endpoint if unit is not None else ""
    if not isinstance(asked, Remembered):
        if unit is not None:
            unit.count_read(decision)
        meter.add(decision_series(cluster.primary, endpoint, model._meta.label, decision))
    if overriding.recorders:
        overriding.record(Read(model._meta.label, endpoint, decision.alias, decision.reason))
    if decision.reason is Reason.SHED:
        raise ShedError(model._meta.label, endpoint, get_settings().retry_after_seconds)
    return _alias(cluster, decision)


def _cluster_for(model: type[Model], hints: dict[str, Any]) -> Cluster | None:
    settings = get_settings()
    cluster = settings.cluster_for_app(model._meta.app_label)
    instance = hints.get("instance")
    if cluster is None or not isinstance(instance, Model):
        return cluster
    origin = instance._state.db
    if origin is None or origin in cluster.aliases:
        return cluster
    # An object that lives where its own model does says nothing about where another model lives. One that was fetched
    # from elsewhere by hand does: what belongs to it is there, too.
    home = settings.cluster_for_app(instance._meta.app_label)
    return cluster if home is not None and origin in home.aliases else None


def _answer(cluster: Cluster, model: type[Model], here: Current) -> Asked:
    unit = here.unit
    here.remembered.pop(model, None)
    if unit is None:
        return Asked(model, Decision(cluster.primary, Reason.OUTSIDE_UNIT))
    if unit.is_deciding:
        return Asked(model, Decision(cluster.primary, Reason.DECIDING))
    label, block = model._meta.label, here.steering_block
    settled = unit.settled.get(label)
    marks = Marks(footing.mark, unit.trail.mark)
    decision = settled if settled is not None and block is None else _decide_by_policy(cluster, model, unit, block)
    known = _remembered(cluster, model, unit, decision, marks) if decision.reason in _REPEATED else None
    if known is not None:
        here.remembered[model] = known
    elif block is None and decision.reason not in _PASSING and not decision.reason.chooses_replica:
        unit.settled[label] = decision
    asked = known if known is not None else Asked(model, decision)
    here.take_down(_alias(cluster, decision), asked)
    return asked


def _remembered(
    cluster: Cluster, model: type[Model], unit: Unit, decision: Decision, marks: Marks
) -> Remembered | None:
    """Return the answer as one that can be given again; None where it will not hold until then.

    marks: what held before it was decided.
    """
    if decision.terms is None or unit.has_ended or overriding.is_used:
        return None
    if marks != Marks(footing.mark, unit.trail.mark):
        return None
    seat, alias = departures.here.seat, decision.alias
    until = min(agent.fresh_until(), Check(cluster, unit).holds_until(alias, decision.terms.contract))
    if until <= monotonic():
        return None
    series = decision_series(cluster.primary, unit.endpoint, model._meta.label, decision)
    known = Remembered(
        model=model,
        decision=decision,
        series=(series, series._replace(kind=TallyKind.READ)),
        members=unit.members(decision.terms.let_go_by),
        cluster=cluster,
        seat=seat,
        marks=marks,
        until=until,
        primary=connections[cluster.primary],
        replica=connections[alias],
    )
    unit.count_by(seat, model, known)
    return known


def _alias(cluster: Cluster, decision: Decision) -> str:
    """Return where the read is run: where it was decided, outside of tests that confine it."""
    return cluster.primary if overriding.is_confined(cluster.primary) else decision.alias


def _decide_by_policy(cluster: Cluster, model: type[Model], unit: Unit, block: Block | None) -> Decision:
    """Decide by the policy that holds once it is decided: to find a replica fit, one may have waited for it."""
    departures.begin()
    while True:
        policy, obstacle = agent.state()
        if obstacle is Reason.POLICY_STALE and replicas.is_primary_down(cluster.primary):
            # Nothing newer can be stored anywhere, and the primary answers nobody.
            obstacle = None
        # Before any gate opens, so that replicas have proved themselves by then. Without rules nobody is asked.
        if refresh() is Refresh.BACKGROUND and ((policy is not None and policy.has_rules) or block is not None):
            prober.start()
        decision = _decide(policy, situation_of(cluster, model, unit, block, obstacle), unit)
        if decision.alias == cluster.primary:
            departures.end()
            return decision
        # Anew, and before looking: whoever takes over another policy after this waits for this read.
        departures.begin()
        if agent.is_current(policy):
            return decision


def _decide(policy: Policy | None, situation: Situation, unit: Unit) -> Decision:
    cluster = situation.cluster
    decision = decide(policy, situation)
    if policy is not None:
        unit.join(decision, policy.revision)
    if decision.reason.chooses_replica and (former := agent.former()) is not None:
        before = unhindered(former.policy, replace(situation, opens=unit.asks_gate))
        if before.alias != decision.alias and replicas.shows_since(decision.alias) < former.settled_at:
            decision = replace(decision, alias=cluster.primary, reason=Reason.BEHIND, is_displaced=True)
    if decision.falls_back:
        return decision if may_fall_back(unit) else _beyond_budget(cluster, unit, decision)
    if decision.terms is not None and decision.reason.chooses_replica:
        account(unit)
        unit.trail.keep(decision.terms.pool, decision.alias)
    return decision


def _beyond_budget(cluster: Cluster, unit: Unit, decision: Decision) -> Decision:
    """Return what the rule asks for when the primary must not take this read over."""
    terms = decision.terms
    if terms is None or terms.over_budget == OverBudget.PRIMARY:
        return replace(decision, reason=Reason.OVER_BUDGET)
    if terms.over_budget == OverBudget.SHED:
        return replace(decision, reason=Reason.SHED, is_displaced=False)
    check = Check(cluster, unit)
    late = next(filter(check.may_serve_late, rank(terms.weights, unit.affinity)), None)
    if late is None:
        return replace(decision, reason=Reason.OVER_BUDGET)
    return replace(decision, alias=late, reason=Reason.STALE, is_displaced=False)
