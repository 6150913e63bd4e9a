"""What each action does to a plan and its flag and rule, all of them locked. Returns what happened, in words.

Each raises ValidationError if the plan cannot do it now. The state, its reason and the saving are `rollout.plans`'.
"""

from django.core.exceptions import ValidationError
from django.utils import timezone

from rollout.exposure import of_gate
from rollout.held import Held
from rollout.loading import read_revision
from rollout.models import GateKind, RolloutPlan


def start(held: Held) -> str:
    """Set the rule to route, and its flag to the first percentage."""
    plan = held.plan
    plan.clean()
    if (rival := held.rival) is not None:
        raise ValidationError(
            f"Plan {rival.pk} of {rival.rule} is {rival.get_state_display().lower()} and moves the flag "
            f"“{rival.gate_name}”. End that one first: two plans would undo each other's steps."
        )
    plan.gate_name = held.rule.gate_name
    plan.expected_targets = held.targets
    plan.started_at = timezone.now()
    held.route()
    _enter(held, 0)
    return f"Started with {where(plan)}."


def pause(held: Held) -> str:
    """Change nothing but the state."""
    return f"Paused in {where(held.plan)}."


def resume(held: Held) -> str:
    """Begin the stage anew."""
    if (foreign := held.foreign) is not None:
        raise ValidationError(f"{foreign.reason} Put that back as it was and resume, or roll the plan back.")
    _begin(held.plan)
    return f"Resumed in {where(held.plan)}."


def advance(held: Held) -> str:
    """Set the flag to the next stage's percentage."""
    plan = held.plan
    if plan.stage + 1 >= len(plan.parsed_stages):
        raise ValidationError(f"Plan {plan.pk} is in its last stage. Finish it, or roll it back.")
    _enter(held, plan.stage + 1)
    return f"Advanced to {where(plan)}."


def finish(held: Held) -> str:
    """Change nothing but the state."""
    plan = held.plan
    if plan.stage + 1 < len(plan.parsed_stages):
        raise ValidationError(f"Plan {plan.pk} is in {where(plan)}. Advance it to the last one before it can finish.")
    return f"Finished in {where(plan)}."


def roll_back(held: Held) -> str:
    """Close the flag."""
    plan, rule = held.plan, held.rule
    was = of_gate(held.gate)
    held.close()
    text = f"Rolled back from {was}: the flag “{plan.gate_name}” lets nobody through."
    if (rule.gate_kind, rule.gate_name) == (GateKind.FLAG, plan.gate_name):
        return text
    return f"{text} The rule for {rule} does not go by that flag any more, so look at its reads too."


def _enter(held: Held, stage: int) -> None:
    plan = held.plan
    percent = plan.parsed_stages[stage].percent
    held.open_to(percent)
    plan.stage, plan.expected_percent = stage, percent
    # The flag has just raised it, and holds it until this is committed.
    plan.stage_revision = read_revision(held.using)
    _begin(plan)


def _begin(plan: RolloutPlan) -> None:
    plan.stage_began_at = timezone.now()
    plan.sample = 0


def where(plan: RolloutPlan) -> str:
    """Return the stage that a plan is in, with its percentage."""
    return f"stage {plan.stage + 1} of {len(plan.stages)}, {plan.expected_percent.normalize():f} %"
