"""Looks after plans that are under way: sums up what is new, judges it, and takes the next step."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.utils import timezone

from rollout import plans
from rollout.acting import Acting, acting
from rollout.capacity import Capacity
from rollout.foreign import ForeignChange, notice_foreign_change
from rollout.journal import Happening, record
from rollout.judging import judge
from rollout.loading import load_gate
from rollout.loads import check_growth
from rollout.measuring import Horizon, Measured, Period, measure
from rollout.models import Door, EventKind, GateKind, RolloutPlan, RoutingRule
from rollout.plan_states import LIVE, State
from rollout.standings import Standing, update
from rollout.stepping import PlanFacts, Step, next_step
from rollout.verdicts import Finding, Verdict, decide
from rollout.waiting import has_waited_in_vain, limit_waiting
from rollout.windows import Window, together

logger = logging.getLogger("readshift")

_LONGEST_WAIT_SECONDS = 1.0


def watch(using: str, *, unless_since: datetime | None = None) -> Mapping[int, Step]:
    """Take the next step of every plan that is under way, and return the steps by plan.

    unless_since: leave out plans that somebody has looked at since then.

    Safe to call from any number of processes at once: a plan that another one is looking at is passed over. What is
    summed up and what follows from it are one transaction, so that a crash between any two statements leaves all of it
    to the next look, and nothing counts twice.
    """
    live = RolloutPlan.objects.using(using).filter(state__in=LIVE).order_by("pk")
    if unless_since is not None:
        live = live.exclude(looked_at__gte=unless_since)
    looked = ((pk, _look_or_tell(pk, using)) for pk in live.values_list("pk", flat=True))
    return {pk: step for pk, step in looked if step is not None}


def _look_or_tell(pk: int, using: str) -> Step | None:
    """Look at one plan. One that cannot be judged, as it was changed by hand, holds and says so.

    Whoever holds its flag or rule for long, such as a migration, must not hold up whoever looks.
    """
    try:
        return _look(pk, using)
    except OperationalError as error:
        if not has_waited_in_vain(error):
            raise
        return Step(None, "Somebody holds its rule or flag. The next look goes on.")
    except ValidationError as error:
        reason = f"It holds, as it cannot be judged. {' '.join(error.messages)}"
        row = RolloutPlan.objects.using(using).filter(pk=pk)
        if row.exclude(outlook=reason).update(outlook=reason):
            logger.exception("Plan %s: %s", pk, reason)
        row.update(looked_at=timezone.now())
        return Step(None, reason)


def _look(pk: int, using: str) -> Step | None:
    with transaction.atomic(using):
        limit_waiting(using, _LONGEST_WAIT_SECONDS)
        plan = (
            RolloutPlan.objects.using(using)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("rule")
            .filter(pk=pk, state__in=LIVE)
            .first()
        )
        if plan is None:
            return None
        now = timezone.now()
        gate = load_gate(GateKind.FLAG, plan.gate_name, using)
        foreign = notice_foreign_change(plan, gate)
        verdicts = _judged(plan, _since_last_look(plan, using), using)
        step = next_step(_facts(plan, verdicts, foreign, now, using), now)
        # A look is no change that anybody is told of.
        RolloutPlan.objects.using(using).filter(pk=pk).update(
            standings=plan.standings,
            verdicts=plan.verdicts,
            horizons=plan.horizons,
            sample=plan.sample,
            outlook=step.reason,
            looked_at=now,
        )
        plans.carry_out(pk, step, version=plan.version, using=using)
        return step


def _since_last_look(plan: RolloutPlan, using: str) -> Window | None:
    """Return what happened meanwhile to every rule that the plan's flag moves, as one window; None if nothing did."""
    found = dict(_measured(plan, using))
    plan.horizons = {target: measured.horizon.as_json() for target, measured in found.items()}
    windows = [measured.window for measured in found.values() if measured.window is not None]
    return together(windows) if windows else None


def _measured(plan: RolloutPlan, using: str) -> Iterator[tuple[str, Measured]]:
    for rule in RoutingRule.objects.using(using).filter(gate_kind=GateKind.FLAG, gate_name=plan.gate_name):
        stored = plan.horizons.get(str(rule))
        period = Period(
            rule.target_kind, rule.target, plan.stage, plan.stage_revision, plan.stage_began_at or timezone.now()
        )
        yield str(rule), measure(period, Horizon.from_json(stored) if stored else None, using)


def _judged(plan: RolloutPlan, window: Window | None, using: str) -> tuple[Verdict, ...]:
    """Return what each guardrail says now, and leave in the plan how they stand."""
    verdicts, standings = [], {}
    for guardrail in plan.parsed_guardrails:
        name = guardrail.metric.value
        standing = Standing.from_json(plan.standings[name]) if name in plan.standings else Standing()
        if window is not None:
            standing = update(guardrail, standing, window)
        verdict = judge(guardrail, standing)
        standings[name] = standing.as_json()
        verdicts.append(verdict)
    if window is not None:
        plan.sample += window.replica.units
    plan.standings = standings
    before, plan.verdicts = plan.verdicts, {verdict.metric.value: _stored(verdict) for verdict in verdicts}
    for verdict in verdicts:
        _record_trial(plan, verdict, before.get(verdict.metric.value, {}), using)
    return tuple(verdicts)


def _stored(verdict: Verdict) -> dict[str, Any]:
    return {"finding": verdict.finding.value, "reason": verdict.reason, "trial": verdict.trial}


def _record_trial(plan: RolloutPlan, verdict: Verdict, before: Mapping[str, Any], using: str) -> None:
    """Record what a guardrail in trial would have done, once."""
    if verdict.trial and verdict.finding is Finding.FAIL and before.get("finding") != Finding.FAIL:
        with acting(Acting(Door.PLAN, lambda: str(plan), verdict.reason, {verdict.metric.value: verdict.reason})):
            after = {"trial": f"{verdict.metric} would have taken it back"}
            record(Happening(EventKind.CHANGED, "plan", plan.subject, after=after), using)


def _facts(
    plan: RolloutPlan, verdicts: tuple[Verdict, ...], foreign: ForeignChange | None, now: datetime, using: str
) -> PlanFacts:
    return PlanFacts(
        State(plan.state),
        plan.stage,
        plan.parsed_stages,
        plan.stage_began_at,
        foreign,
        decide(verdicts),
        plan.sample,
        _capacity(plan, now, using),
    )


def _capacity(plan: RolloutPlan, now: datetime, using: str) -> Capacity | None:
    """Return whether the replicas could carry the next stage without one of them; None after the last."""
    stages = plan.parsed_stages
    if plan.stage + 1 >= len(stages):
        return None
    factor = float(stages[plan.stage + 1].percent / stages[plan.stage].percent)
    return check_growth(plan.rule.pool, factor, now, using)
