"""What the buttons of a rule's plan ask for: to start one, to steer one that is under way, to take the rule back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from django.core.exceptions import ValidationError
from django.db import OperationalError

from admin_ui.drawing.figures import duration
from admin_ui.operating.actions import Step, effects_of, locked_rule, stored_rule
from rollout import exposure, plans, rollback
from rollout.exposure import Change, Exposure
from rollout.gates import NOBODY
from rollout.held import Held, hold
from rollout.loading import load_rule
from rollout.loads import check_growth
from rollout.models import GateKind, Mode, RolloutPlan, RoutingRule
from rollout.plan_states import Action, State, after
from rollout.plan_work import where
from rollout.plans import Result
from rollout.policy import Rule
from rollout.stages import Stage
from rollout.waiting import has_waited_in_vain
from tasks.reporting.words import grouped

WATCHED = "It goes on by itself. If a guardrail fails, it takes all of it back by itself."


def start_step(pk: int, template: str, using: str) -> Step:
    """Plan a new plan for a rule. Call it in a transaction: the rule stays locked until the end of it."""
    rule = locked_rule(pk)
    stages = plans.from_template(rule, template).parsed_stages
    first = stages[0].percent
    compiled = load_rule(rule, using)
    opened = replace(compiled, mode=Mode.ROUTE, gate=compiled.gate and compiled.gate.at(first))
    gate = Change("", exposure.of_gate(compiled.gate), exposure.of_gate(opened.gate))

    def becomes(each: Rule) -> Rule:
        return opened if str(each) == str(compiled) else each

    return Step(
        Change(
            f"{rule}: start a {template} plan of {len(stages)} stages",
            exposure.of_rule(compiled),
            exposure.of_rule(opened),
        ),
        effects_of(GateKind.FLAG, rule.gate_name, gate, using, becomes),
        apply=lambda: _done(plans.start(plans.draft(rule, template).pk, using=using)),
        subject=lambda: rule,
        question=f"Start a {template} plan?",
        words=(f"Its stages: {'; '.join(map(stage_words, stages))}.", WATCHED),
        lets_rise=True,
    )


def steer_step(pk: int, do: str, seen: str, now: datetime, using: str) -> Step:
    """Plan one of `STEERING` for a plan. Call it in a transaction: plan, rule and flag stay locked until the end of it.

    seen: the version of the plan that the operator's page showed, or empty.
    """
    try:
        steer = STEERING[Action(do)]
    except (KeyError, ValueError):
        raise ValidationError(f"“{do}” is nothing that is done to a plan. Use one of {', '.join(STEERING)}.") from None
    held = hold(pk, using)
    after(State(held.plan.state), Action(do))
    step = steer(held, now)
    return replace(step, news=_news(held.plan, seen), seen={"seen": str(held.plan.version)})


def roll_back_step(pk: int, using: str) -> Step:
    """Plan taking a rule's reads back to the primary."""
    rule = stored_rule(pk, using)
    sharing = RoutingRule.objects.using(using).filter(gate_kind=rule.gate_kind, gate_name=rule.gate_name)
    others = [str(other) for other in sharing.exclude(pk=pk)] if rule.gate_kind else []
    before = exposure.of_rule(load_rule(rule, using))
    return Step(
        Change(f"{rule}: all reads back to the primary", before, replace(before, percent=NOBODY, targeted=False)),
        effects=(),
        apply=lambda: _rolled_back(rule, using),
        subject=lambda: rule,
        warning=f"Taken back as well, through the same {rule.gate_kind}: {', '.join(others)}." if others else "",
    )


def stage_words(stage: Stage) -> str:
    """Say what a stage is: 5 %, at least 10 min and 500 units."""
    lasts, sample = duration(stage.minimum_seconds), grouped(stage.minimum_sample)
    return f"{stage.percent.normalize():f} %, at least {lasts} and {sample} units"


def _pause(held: Held, _: datetime) -> Step:
    return _step(held, "pause", plans.pause, words=())


def _resume(held: Held, _: datetime) -> Step:
    plan, stages = held.plan, held.plan.parsed_stages
    if plan.stage >= len(stages):
        raise ValidationError(f"Plan {plan.pk} is in {where(plan)}, which it does not have. Roll it back.")
    stage = stages[plan.stage]
    words = (f"The stage begins anew: {stage_words(stage)}.", WATCHED)
    return replace(_step(held, "resume", plans.resume, words), question="Resume the plan?", lets_rise=True)


def _advance(held: Held, now: datetime) -> Step:
    plan, stages = held.plan, held.plan.parsed_stages
    if plan.stage + 1 >= len(stages):
        raise ValidationError(f"Plan {plan.pk} is in its last stage. Finish it, or roll it back.")
    following = stages[plan.stage + 1]
    capacity = check_growth(held.rule.pool, float(following.percent / stages[plan.stage].percent), now, held.using)
    words = (
        f"Stage {plan.stage + 2} of {len(stages)}: {stage_words(following)}.",
        f"By itself, the plan would not go on yet. {plan.outlook}" if plan.outlook else "",
        *((capacity.refusal, capacity.note) if capacity is not None else ()),
    )
    before = exposure.of_gate(held.gate)
    opened = exposure.of_gate(held.gate and held.gate.at(following.percent))
    step = _step(held, "advance", lambda pk, using: plans.advance(pk, from_stage=plan.stage, using=using), words)
    return replace(
        step,
        change=Change(
            f"{step.change.summary}: from {before} to {opened}", before=step.change.before, after=_of_rule(held, opened)
        ),
        effects=effects_of(GateKind.FLAG, plan.gate_name, Change("", before, opened), held.using),
        question="Go on to the next stage?",
        lets_rise=True,
    )


def _finish(held: Held, _: datetime) -> Step:
    words = (
        f"The flag “{held.plan.gate_name}” stays at {exposure.of_gate(held.gate)}.",
        "Nothing watches over it any more: what guardrails would find takes nothing back.",
    )
    return replace(_step(held, "finish", plans.finish, words), question="Finish the plan?", lets_rise=True)


STEERING: Mapping[Action, Callable[[Held, datetime], Step]] = MappingProxyType(
    {Action.PAUSE: _pause, Action.RESUME: _resume, Action.ADVANCE: _advance, Action.FINISH: _finish}
)
"""What can be done to a plan that was started, besides rolling back, which is the rule's."""


def _step(held: Held, verb: str, change: Callable[..., Result], words: Iterable[str]) -> Step:
    """Return a step that leaves exposure as it is."""
    plan, present = held.plan, _of_rule(held, exposure.of_gate(held.gate))
    return Step(
        Change(f"{verb} plan {plan.subject} in {where(plan)}", present, present),
        effects=(),
        apply=lambda: _done(change(plan.pk, using=held.using)),
        subject=lambda: held.rule,
        words=tuple(filter(None, words)),
    )


def _of_rule(held: Held, gate: Exposure) -> Exposure:
    return exposure.routed(load_rule(held.rule, held.using), gate)


def _news(plan: RolloutPlan, seen: str) -> str:
    if not seen or str(plan.version) == seen:
        return ""
    state = plan.get_state_display().lower()
    return f"The plan was changed after your page was loaded: it was {state}, {where(plan)}. {plan.reason}".strip()


def _done(result: Result) -> Change:
    """Return what was done, in words. Raises ValidationError if nothing was."""
    if not result.changed:
        raise ValidationError(result.text)
    return Change(result.text.rstrip("."), Exposure(NOBODY), Exposure(NOBODY))


def _rolled_back(rule: RoutingRule, using: str) -> Change:
    try:
        done = rollback.roll_back_rule(rule, using)
    except OperationalError as error:
        if not has_waited_in_vain(error):
            raise
        raise ValidationError(
            f"Somebody else holds the rule for {rule} or its gate, so nothing was changed. Try again, or send all "
            f"reads to the primary."
        ) from error
    return replace(done.change, summary=f"{done.change.summary}, as before") if done.had_no_need else done.change
