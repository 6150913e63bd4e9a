"""What each action does to a plan, its flag, its rule and the events, and what is refused."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from waffle.models import Flag

from rollout import plans
from rollout.acting import Acting, acting
from rollout.exposure import of_gate
from rollout.loading import load_gate, read_revision
from rollout.models import Door, Event, GateKind, Mode, RolloutPlan, RoutingRule
from rollout.plan_states import Action, State
from rollout.plans import Result
from rollout.stepping import Step
from tests.rollout.support import create_flag, draft_plan
from tests.support import route

pytestmark = pytest.mark.django_db


def running(**draft: Any) -> RolloutPlan:
    return plans.start(draft_plan(**draft).pk).plan


def share(flag: str = "checkout") -> str:
    return str(of_gate(load_gate(GateKind.FLAG, flag, "default")))


def now(plan: RolloutPlan) -> RolloutPlan:
    return RolloutPlan.objects.get(pk=plan.pk)


def test_starting_sets_the_rule_to_route_and_the_flag_to_the_first_percentage() -> None:
    result = plans.start(draft_plan().pk, why="Tests passed.")
    plan = RolloutPlan.objects.get()
    assert (plan.state, plan.stage, plan.gate_name, plan.expected_percent) == (State.RUNNING, 0, "checkout", Decimal(5))
    assert (plan.rule.mode, share()) == (Mode.ROUTE, "5 %")
    assert plan.stage_began_at is not None
    assert plan.stage_revision == read_revision("default")
    assert plan.reason == "Started with stage 1 of 3, 5 %. Tests passed."
    assert (result.changed, result.text) == (True, "Started with stage 1 of 3, 5 %.")


def test_a_whole_rollout() -> None:
    plan = running()
    assert plans.advance(plan.pk).text == "Advanced to stage 2 of 3, 50 %."
    assert share() == "50 %"
    plans.pause(plan.pk)
    assert (now(plan).state, share()) == (State.PAUSED, "50 %")
    plans.resume(plan.pk)
    plans.advance(plan.pk)
    assert Flag.objects.get().everyone is True
    plans.finish(plan.pk)
    assert (now(plan).state, share()) == (State.FINISHED, "100 %")
    assert now(plan).ended_at is not None
    assert now(plan).version == 6


@pytest.mark.parametrize("steps", [[], ["advance"], ["pause"], ["advance", "advance", "finish"]])
def test_rolling_back_closes_the_flag(steps: list[str]) -> None:
    plan = running()
    for step in steps:
        getattr(plans, step)(plan.pk)
    result = plans.roll_back(plan.pk, why="Complaints.")
    assert (now(plan).state, now(plan).expected_percent, Flag.objects.get().everyone) == (
        State.ROLLED_BACK,
        Decimal(0),
        False,
    )
    assert "lets nobody through. Complaints." in now(plan).reason
    assert result.text.startswith("Rolled back from ")


def test_rolling_back_closes_a_flag_that_somebody_else_has_opened() -> None:
    plan = running()
    Flag.objects.get().users.add(User.objects.create_user("ada"))
    Flag.objects.update(percent=80)
    assert "from 80 % and chosen users" in plans.roll_back(plan.pk).text
    assert Flag.objects.get().everyone is False


def test_rolling_back_works_without_the_flag_and_warns_of_a_rule_that_goes_by_another() -> None:
    plan = running()
    create_flag("other", everyone=True)
    RoutingRule.objects.update(gate_name="other")
    Flag.objects.filter(name="checkout").delete()
    assert "does not go by that flag any more" in plans.roll_back(plan.pk).text
    assert now(plan).state == State.ROLLED_BACK


REPEATS: list[tuple[list[str], Callable[[int], Result], str]] = [
    (["start"], plans.start, "is running already"),
    (["start"], plans.resume, "is running already"),
    (["start", "pause"], plans.pause, "is paused already"),
    (["start", "advance", "advance", "finish"], plans.finish, "is finished already"),
    (["start", "roll_back"], plans.roll_back, "is rolled back already"),
    (
        ["start", "advance"],
        lambda pk: plans.advance(pk, from_stage=0),
        "is past stage 1 already: it is running, stage 2",
    ),
    (["start", "advance"], lambda pk: plans.advance(pk, version=1), "was changed meanwhile"),
    (["start", "advance"], lambda pk: plans.pause(pk, version=1), "was changed meanwhile"),
]


@pytest.mark.parametrize(("before", "repeat", "words"), REPEATS)
def test_whoever_comes_late_changes_nothing_and_is_told(
    before: list[str], repeat: Callable[[int], Result], words: str
) -> None:
    plan = draft_plan()
    for step in before:
        getattr(plans, step)(plan.pk)
    rows = everything()
    result = repeat(plan.pk)
    assert not result.changed
    assert words in result.text
    assert everything() == rows


def everything() -> tuple[Any, ...]:
    rows = (list(model._default_manager.values()) for model in (RolloutPlan, RoutingRule, Flag, Event))
    return (*rows, read_revision("default"))


def refused(operate: Callable[[], object]) -> str:
    rows = everything()
    with pytest.raises(ValidationError) as refusal:
        operate()
    assert everything() == rows
    return " ".join(refusal.value.messages)


def test_what_the_state_does_not_allow_is_refused_with_what_it_does() -> None:
    plan = draft_plan()
    assert "What is possible: start." in refused(lambda: plans.advance(plan.pk))
    plans.start(plan.pk)
    plans.roll_back(plan.pk)
    assert "Make a new plan" in refused(lambda: plans.start(plan.pk))


def test_only_the_last_stage_can_finish_and_it_cannot_advance() -> None:
    plan = running(stages=(5, 100))
    assert "Advance it to the last one" in refused(lambda: plans.finish(plan.pk))
    plans.advance(plan.pk)
    assert "Finish it" in refused(lambda: plans.advance(plan.pk))


def test_a_plan_that_is_not_there_is_refused() -> None:
    assert "no plan 77" in refused(lambda: plans.roll_back(77))


def test_an_unknown_metric_bad_stages_and_a_rule_without_a_flag_refuse_to_start() -> None:
    plan = draft_plan()
    RolloutPlan.objects.update(guardrails=[{"metric": "p99"}])
    assert "no metric 'p99'" in refused(lambda: plans.start(plan.pk))
    RolloutPlan.objects.update(guardrails=[{"metric": "lag"}], stages=[])
    assert "The stages are []" in refused(lambda: plans.start(plan.pk))
    RolloutPlan.objects.update(stages=plan.stages)
    Flag.objects.all().delete()
    assert "no flag named “checkout”" in refused(lambda: plans.start(plan.pk))
    RoutingRule.objects.update(gate_kind="", gate_name="")
    assert "has no gate. A plan moves the percentage of a waffle flag" in refused(lambda: plans.start(plan.pk))


def test_one_plan_at_a_time_moves_a_rule_or_flag() -> None:
    first = running()
    same_rule, same_flag = draft_plan(), draft_plan(target="other")
    for pk in (same_rule.pk, same_flag.pk):
        assert f"Plan {first.pk} of endpoint names is running" in refused(partial(plans.start, pk))
    plans.pause(first.pk)
    assert "is paused" in refused(lambda: plans.start(same_flag.pk))
    plans.roll_back(first.pk)
    assert plans.start(same_flag.pk).changed


@pytest.mark.parametrize("target", ["names", "other"])
def test_the_database_holds_one_plan_at_a_time_to_it(target: str) -> None:
    running()
    second = draft_plan(target=target)
    second.state, second.gate_name = State.PAUSED, "checkout" if target == "other" else "elsewhere"
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save()


def test_deleting_a_rule_takes_its_plans_and_leaves_the_events() -> None:
    plan = running()
    plan.rule.delete()
    assert not RolloutPlan.objects.exists()
    assert Event.objects.filter(subject_kind="plan", kind="deleted", subject=f"{plan.pk} of endpoint names").exists()


def test_a_template_makes_a_plan_that_can_start() -> None:
    create_flag("checkout")
    plan = plans.draft(route("names", gate=(GateKind.FLAG, "checkout")), "careful")
    assert plans.start(plan.pk).text == "Started with stage 1 of 9, 1 %."
    assert "careful, standard, fast" in refused(lambda: plans.draft(plan.rule, "bold"))


# Events


def test_a_change_leaves_one_event_of_each_thing_that_it_changed_and_no_other() -> None:
    plan = draft_plan()
    before = Event.objects.count()
    revision = read_revision("default")
    with acting(Acting(Door.COMMAND, lambda: "ada")):
        plans.start(plan.pk, why="Tests passed.")
    told = {event.subject_kind: event for event in Event.objects.order_by("pk")[before:]}
    assert Event.objects.count() == before + 3
    assert {(each.door, each.who, each.why) for each in told.values()} == {(Door.COMMAND, "ada", "Tests passed.")}
    assert told["plan"].subject == f"{plan.pk} of endpoint names"
    assert told["plan"].before == {"state": "draft", "reason": "", "gate_name": ""}
    assert set(told["plan"].after) == {"state", "reason", "gate_name"}
    assert (told["rule"].before, told["rule"].after) == ({"mode": "observe"}, {"mode": "route"})
    assert told["flag"].after == {"everyone": None, "percent": "5.0"}
    assert read_revision("default") == revision + 2


def test_a_plan_alone_changes_no_policy() -> None:
    plan = running()
    revision = read_revision("default")
    plans.pause(plan.pk)
    plans.resume(plan.pk)
    assert read_revision("default") == revision


def test_the_verdicts_are_the_measures_of_an_event() -> None:
    plan = running()
    verdicts = {"error_rate": {"finding": "fail", "reason": "errors doubled", "trial": False}}
    RolloutPlan.objects.update(verdicts=verdicts)
    plans.carry_out(plan.pk, Step(Action.ROLL_BACK, "errors doubled"), version=1)
    for event in Event.objects.order_by("-pk")[:2]:
        assert (event.door, event.who, event.why) == (Door.PLAN, f"plan {plan.pk}", "errors doubled")
        assert event.measures == verdicts


# Steps of the plan itself


@pytest.mark.parametrize("action", [Action.ADVANCE, Action.FINISH])
def test_a_step_that_is_late_changes_nothing(action: Action) -> None:
    plan = running(stages=(50, 100))
    plans.advance(plan.pk)
    rows = everything()
    assert not plans.carry_out(plan.pk, Step(action, "it passed"), version=plan.version).changed
    assert everything() == rows


def test_a_failure_takes_a_plan_back_whatever_has_happened_since() -> None:
    plan = running()
    plans.pause(plan.pk)
    assert plans.carry_out(plan.pk, Step(Action.ROLL_BACK, "errors"), version=plan.version).changed
    assert share() == "0 %"


def test_nothing_to_do_is_nothing_done() -> None:
    plan = running()
    assert plans.carry_out(plan.pk, Step(None, "it waits"), version=1) == Result(plan, False, "it waits")


# What somebody else did


@pytest.mark.parametrize("operate", [plans.advance, plans.heed])
def test_a_flag_that_somebody_has_changed_pauses_the_plan_and_stays(operate: Callable[[int], Result]) -> None:
    plan = running()
    Flag.objects.update(percent=7)
    assert operate(plan.pk).changed
    assert (now(plan).state, share()) == (State.PAUSED, "7 %")
    assert "it is at 7 %, and the plan had set it to 5 %" in now(plan).reason
    assert not plans.heed(plan.pk).changed


@pytest.mark.parametrize("steps", [[], ["pause"]])
def test_a_flag_that_somebody_has_closed_ends_the_plan_and_stays(steps: list[str]) -> None:
    plan = running()
    for step in steps:
        getattr(plans, step)(plan.pk)
    Flag.objects.update(percent=0)
    plans.carry_out(plan.pk, Step(Action.ROLL_BACK, "", foreign=True), version=1)
    assert now(plan).state == State.ROLLED_BACK
    assert (Flag.objects.get().everyone, Flag.objects.get().percent) == (None, 0)
    assert "Somebody has taken it back" in now(plan).reason


def test_a_flag_that_somebody_opens_again_before_the_plan_has_ended_stays_open() -> None:
    plan = running()
    Flag.objects.update(percent=7)
    plans.carry_out(plan.pk, Step(Action.ROLL_BACK, "", foreign=True), version=1)
    assert (now(plan).state, share()) == (State.PAUSED, "7 %")


def test_a_paused_plan_resumes_only_once_the_flag_is_as_it_left_it() -> None:
    plan = running()
    plans.pause(plan.pk)
    RolloutPlan.objects.update(stage_began_at=timezone.now() - timedelta(days=1))
    Flag.objects.update(percent=7)
    assert "it is at 7 %" in (told := refused(lambda: plans.resume(plan.pk)))
    assert "or roll the plan back" in told
    Flag.objects.update(percent=Decimal("5.0"))
    plans.resume(plan.pk)
    began = now(plan).stage_began_at
    assert began is not None
    assert timezone.now() - began < timedelta(hours=1)


def test_users_that_somebody_has_chosen_pause_the_plan() -> None:
    plan = running()
    Flag.objects.update(staff=True)
    assert plans.heed(plan.pk).changed
    assert "staff: yes instead of no" in now(plan).reason


def test_users_that_were_chosen_before_the_plan_started_are_left() -> None:
    create_flag("checkout", staff=True)
    plan = running()
    assert not plans.heed(plan.pk).changed
    plans.advance(plan.pk)
    assert share() == "50 % and chosen users"


@pytest.mark.parametrize("change", [{"mode": Mode.OBSERVE}, {"gate_name": "other"}])
def test_a_rule_that_somebody_has_changed_pauses_the_plan(change: dict[str, Any]) -> None:
    plan = running()
    RoutingRule.objects.update(**change)
    assert plans.heed(plan.pk).plan.state == State.PAUSED
