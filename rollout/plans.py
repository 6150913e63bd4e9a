"""What can be done to a rollout plan, by people and by itself.

Each is one transaction, in which plan, flag, rule and events change together or not at all. Whoever does what somebody
else has done already changes nothing and is told so. What is not possible raises ValidationError, which says what is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.utils import timezone

from rollout import acting, plan_work
from rollout.acting import Acting
from rollout.gates import NOBODY
from rollout.held import Held, hold
from rollout.limits import limits_of
from rollout.models import Door, RolloutPlan, RoutingRule
from rollout.plan_states import Action, State, after, is_done
from rollout.stages import TEMPLATES, as_json
from rollout.stepping import Step


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: the plan as it is now, whether this changed it, and what happened, in words."""

    plan: RolloutPlan
    changed: bool
    text: str


def from_template(rule: RoutingRule, template: str) -> RolloutPlan:
    """Return a plan as a template has it, unsaved. Raises ValidationError if the rule could not have one."""
    if template not in TEMPLATES:
        raise ValidationError(f"There is no template “{template}”. The templates are {', '.join(TEMPLATES)}.")
    chosen = TEMPLATES[template]
    plan = RolloutPlan(
        rule=rule, template=template, stages=as_json(chosen.stages), guardrails=limits_of(chosen.metrics)
    )
    plan.full_clean()
    return plan


def draft(rule: RoutingRule, template: str) -> RolloutPlan:
    """Create a plan from a template. It changes nothing else until it starts."""
    plan = from_template(rule, template)
    plan.save()
    return plan


def start(pk: int, *, why: str = "", version: int | None = None, using: str | None = None) -> Result:
    """Set the rule to route and its flag to the first percentage."""
    return _change(pk, Action.START, plan_work.start, why=why, version=version, using=using)


def pause(pk: int, *, why: str = "", version: int | None = None, using: str | None = None) -> Result:
    """Stay at the present percentage until somebody resumes."""
    return _change(pk, Action.PAUSE, plan_work.pause, why=why, version=version, using=using)


def resume(pk: int, *, why: str = "", version: int | None = None, using: str | None = None) -> Result:
    """Go on. The stage begins anew, as nobody has watched over it meanwhile.

    Raises ValidationError while flag or rule are not as the plan left them: it would have to guess what was meant.
    """
    return _change(pk, Action.RESUME, plan_work.resume, why=why, version=version, using=using)


def advance(
    pk: int, *, why: str = "", from_stage: int | None = None, version: int | None = None, using: str | None = None
) -> Result:
    """Set the flag to the next stage's percentage. Does nothing if the plan is past `from_stage` already."""
    return _change(pk, Action.ADVANCE, plan_work.advance, why=why, from_stage=from_stage, version=version, using=using)


def finish(pk: int, *, why: str = "", version: int | None = None, using: str | None = None) -> Result:
    """End a plan that is in its last stage. The flag stays as it is."""
    return _change(pk, Action.FINISH, plan_work.finish, why=why, version=version, using=using)


def roll_back(pk: int, *, why: str = "", using: str | None = None) -> Result:
    """Close the flag for everybody, whatever the plan or anybody else has set it to."""
    return _change(pk, Action.ROLL_BACK, plan_work.roll_back, why=why, using=using)


def heed(pk: int, *, using: str | None = None) -> Result:
    """Step aside if somebody else has changed the flag or the rule; both stay as they were left."""
    using = using or router.db_for_write(RolloutPlan)
    with transaction.atomic(using):
        held = hold(pk, using)
        return _aside(held) or Result(held.plan, False, f"Flag and rule are as {held.plan} left them.")


def carry_out(pk: int, step: Step, *, version: int, using: str | None = None) -> Result:
    """Do what `rollout.stepping.next_step` said of the plan in this version. Puts it down to the plan itself.

    Nothing happens if the plan was changed since, except that a failure takes it back all the same.
    """
    with acting.acting(Acting(Door.PLAN, lambda: f"plan {pk}", step.reason)):
        if step.foreign:
            return heed(pk, using=using)
        match step.action:
            case Action.ADVANCE:
                return advance(pk, why=step.reason, version=version, using=using)
            case Action.FINISH:
                return finish(pk, why=step.reason, version=version, using=using)
            case Action.ROLL_BACK:
                return roll_back(pk, why=step.reason, using=using)
    return Result(RolloutPlan.objects.using(using).get(pk=pk), False, step.reason)


def _change(
    pk: int,
    action: Action,
    work: Callable[[Held], str],
    *,
    why: str,
    from_stage: int | None = None,
    version: int | None = None,
    using: str | None,
) -> Result:
    using = using or router.db_for_write(RolloutPlan)
    with transaction.atomic(using):
        held = hold(pk, using)
        if nothing_to_do := _is_late(held.plan, action, from_stage, version):
            return Result(held.plan, False, nothing_to_do)
        goal = after(State(held.plan.state), action)
        if action in {Action.ADVANCE, Action.FINISH} and (aside := _aside(held)) is not None:
            return aside
        return _settle(held, goal, work, why)


def _settle(held: Held, goal: State, work: Callable[[Held], str], why: str) -> Result:
    """Do the work and bring the plan to its new state, with events that tell why, and what the guardrails said."""
    plan, who = held.plan, acting.current()
    with acting.acting(replace(who, why=why or who.why, measures=plan.verdicts or who.measures)):
        text = work(held)
        plan.state = goal
        plan.reason = f"{text} {why}".strip()
        plan.version += 1
        if goal == State.ROLLED_BACK:
            plan.expected_percent = NOBODY
        if goal in {State.FINISHED, State.ROLLED_BACK}:
            plan.ended_at = timezone.now()
        plan.save(using=held.using)
    return Result(plan, True, text)


def _is_late(plan: RolloutPlan, action: Action, from_stage: int | None, version: int | None) -> str:
    """Say what somebody else has done before that leaves nothing to do, or return an empty text."""
    state = State(plan.state).label.lower()
    if is_done(State(plan.state), action):
        return f"Plan {plan.pk} is {state} already."
    if from_stage is not None and plan.stage > from_stage:
        return f"Plan {plan.pk} is past stage {from_stage + 1} already: it is {state}, {plan_work.where(plan)}."
    if version is not None and plan.version != version:
        return f"Plan {plan.pk} was changed meanwhile, so nothing was done: it is {state}, {plan_work.where(plan)}."
    return ""


def _aside(held: Held) -> Result | None:
    """Pause or end a live plan whose flag or rule somebody else has changed. Returns None if there is nothing to do."""
    plan = held.plan
    foreign = held.foreign if plan.is_live else None
    if foreign is None or (plan.state == State.PAUSED and not foreign.takes_back):
        return None
    return _settle(held, State.ROLLED_BACK if foreign.takes_back else State.PAUSED, lambda _: foreign.reason, "")
