"""Plans that take their steps from what processes have stored, on a real primary."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from waffle.models import Flag

from rollout import plans
from rollout.models import ArmCount, Door, Event, GateKind, Mode, RolloutPlan, Side, Tally, TallyKind
from rollout.plan_states import Action, State
from rollout.stepping import Step
from rollout.watching import watch
from tests.rollout.support import TIMEOUT_SECONDS, draft_plan
from tests.support import route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

PLENTY = 200_000


@pytest.fixture
def plan() -> RolloutPlan:
    """A plan at 5 % that need not wait."""
    drafted = draft_plan()
    drafted.stages = [{**stage, "minimum_seconds": 0} for stage in drafted.stages]
    drafted.save()
    return plans.start(drafted.pk).plan


def store(plan: RolloutPlan, side: Side, units: int, failed: int = 0, **fields: Any) -> None:
    """Store what a process counted in the plan's present stage."""
    facts: dict[str, Any] = {
        "starts_at": timezone.now(),
        "span_seconds": 10,
        "target_kind": "endpoint",
        "target": plan.rule.target,
        "revision": now(plan).stage_revision,
        **fields,
    }
    ArmCount.objects.bulk_create([ArmCount(side=side, units=units, failed=failed, **facts)])


def both(plan: RolloutPlan, failed: int, **fields: Any) -> None:
    """Store what both arms counted: the primary's had one failure in 1,000 units."""
    store(plan, Side.REPLICA, PLENTY, failed, **fields)
    store(plan, Side.PRIMARY, PLENTY, PLENTY // 1000, **fields)


def now(plan: RolloutPlan) -> RolloutPlan:
    return RolloutPlan.objects.select_related("rule").get(pk=plan.pk)


def look(plan: RolloutPlan) -> Step:
    return watch("default")[plan.pk]


def test_without_data_it_holds(plan: RolloutPlan) -> None:
    step = look(plan)
    assert step.action is None
    assert step.reason.startswith("error_rate: no data to compare")
    assert now(plan).outlook == step.reason
    assert now(plan).looked_at is not None
    assert (now(plan).state, now(plan).stage) == (State.RUNNING, 0)


def test_it_goes_on_once_everything_passes_and_ends_after_the_last_stage(plan: RolloutPlan) -> None:
    for stage in (1, 2):
        both(plan, PLENTY // 1000)
        assert look(plan).action is Action.ADVANCE
        assert (now(plan).stage, now(plan).sample) == (stage, 0)
        assert look(plan).action is None
    both(plan, PLENTY // 1000)
    assert look(plan).action is Action.FINISH
    assert now(plan).state == State.FINISHED
    assert watch("default") == {}


def test_more_errors_than_the_primary_has_take_it_back_and_the_event_tells_why(plan: RolloutPlan) -> None:
    both(plan, PLENTY // 400)
    assert look(plan).action is Action.ROLL_BACK
    assert (now(plan).state, Flag.objects.get().everyone) == (State.ROLLED_BACK, False)
    for subject in ("plan", "flag"):
        event = Event.objects.filter(subject_kind=subject).latest("pk")
        assert (event.door, event.who) == (Door.PLAN, f"plan {plan.pk}")
        assert "error_rate: 0.25 %" in event.why
        assert event.measures["error_rate"]["finding"] == "fail"


def test_a_paused_plan_is_taken_back_too(plan: RolloutPlan) -> None:
    plans.pause(plan.pk)
    both(plan, PLENTY // 400)
    assert look(plan).action is Action.ROLL_BACK


def test_nothing_counts_twice(plan: RolloutPlan) -> None:
    store(plan, Side.REPLICA, 60)
    look(plan)
    before = now(plan)
    look(plan)
    assert (before.sample, before.standings) == (60, now(plan).standings)
    assert now(plan).sample == 60


def test_units_from_before_the_stage_do_not_count(plan: RolloutPlan) -> None:
    store(plan, Side.REPLICA, 60, revision=plan.stage_revision - 1)
    look(plan)
    assert now(plan).sample == 0


def test_all_rules_of_the_flag_count(plan: RolloutPlan) -> None:
    route("more", gate=(GateKind.FLAG, "checkout"))
    route("others", mode=Mode.ROUTE)
    for target in ("names", "more", "others"):
        store(plan, Side.REPLICA, 60, target=target)
    look(plan)
    assert now(plan).sample == 120


def test_a_plan_that_somebody_else_looks_at_is_passed_over(plan: RolloutPlan) -> None:
    def elsewhere() -> Mapping[int, Step]:
        try:
            return watch("default")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        RolloutPlan.objects.select_for_update().get(pk=plan.pk)
        assert pool.submit(elsewhere).result(TIMEOUT_SECONDS) == {}


def test_whoever_holds_the_flag_holds_nobody_up(plan: RolloutPlan) -> None:
    def elsewhere() -> Step:
        try:
            return look(plan)
        finally:
            connections.close_all()

    both(plan, PLENTY // 1000)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Flag.objects.select_for_update().get()
        assert pool.submit(elsewhere).result(TIMEOUT_SECONDS).reason.startswith("Somebody holds its rule or flag")
    assert now(plan).sample == 0
    assert look(plan).action is Action.ADVANCE


class CrashError(Exception):
    pass


@contextmanager
def crashing_at(number: int) -> Iterator[list[int]]:
    """Crash before this statement, counted from 0. Yields a list that has one entry for each statement that ran."""
    ran: list[int] = []

    def run(execute: Any, *arguments: Any) -> Any:
        if len(ran) == number:
            raise CrashError
        ran.append(number)
        return execute(*arguments)

    with connection.execute_wrapper(run):
        yield ran


def test_a_crash_between_any_two_statements_leaves_all_of_it_to_the_next_look(plan: RolloutPlan) -> None:
    both(plan, PLENTY // 1000)
    before = RolloutPlan.objects.values().get()
    number = 0
    while True:
        try:
            with crashing_at(number):
                look(plan)
            break
        except CrashError:
            assert RolloutPlan.objects.values().get() == before
            assert Flag.objects.get().percent == 5
        number += 1
    assert number > 10
    assert (now(plan).stage, Flag.objects.get().percent) == (1, 50)


def test_a_guardrail_in_trial_says_what_it_would_have_done_once_and_does_nothing(plan: RolloutPlan) -> None:
    RolloutPlan.objects.update(guardrails=[{"metric": "error_rate", "trial": True}, {"metric": "fallback_share"}])
    both(plan, PLENTY // 400)
    for _ in range(2):
        assert look(plan).action is None
    (event,) = (event for event in Event.objects.filter(subject_kind="plan") if "trial" in event.after)
    assert event.after == {"trial": "error_rate would have taken it back"}
    assert "error_rate: 0.25 %" in event.why


def test_it_steps_aside_when_somebody_changes_the_flag(plan: RolloutPlan) -> None:
    flag = Flag.objects.get()
    flag.percent = 7
    flag.save()
    assert look(plan).action is Action.PAUSE
    assert (now(plan).state, Flag.objects.get().percent) == (State.PAUSED, 7)


def test_a_step_that_the_rest_could_not_carry_is_not_taken(plan: RolloutPlan, settings: Any) -> None:
    replicas = {f"replica{number}": {"CAPACITY": 100} for number in (1, 2)}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": {"default": {"REPLICAS": replicas}}}
    for alias in replicas:
        Tally.objects.create(
            starts_at=timezone.now() - timedelta(seconds=30), span_seconds=10, kind=TallyKind.READ, cluster="default",
            alias=alias, endpoint="names", model="shop.Product", reason="routed", count=600,
        )  # fmt: skip
    both(plan, PLENTY // 1000)
    step = look(plan)
    assert step.action is None
    assert "would serve 200 reads a second" in step.reason


def test_a_plan_that_somebody_has_spoilt_by_hand_holds_and_keeps_no_other_from_going_on(plan: RolloutPlan) -> None:
    other = plans.start(draft_plan("other", "another").pk).plan
    RolloutPlan.objects.filter(pk=plan.pk).update(guardrails=[{"metric": "mood"}])
    steps = watch("default")
    assert steps[plan.pk].action is None
    assert "There is no metric 'mood'" in now(plan).outlook
    assert now(other).outlook == steps[other.pk].reason


def test_a_plan_that_was_looked_at_a_moment_ago_is_not_overdue(plan: RolloutPlan) -> None:
    began = timezone.now()
    assert plan.pk in watch("default", unless_since=began)
    assert watch("default", unless_since=began) == {}
