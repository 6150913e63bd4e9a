"""What the overview says of rollouts."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from admin_ui.overview.plans import plan_line, read_plans, trouble
from rollout import plans
from rollout.models import RolloutPlan
from tests.admin_ui.support import DASHBOARD, LIVE, text
from tests.rollout.support import draft_plan

pytestmark = pytest.mark.django_db

HOLD = {"error_rate": {"finding": "hold", "reason": "error_rate: no data in this stage", "trial": False}}


def running(**changes: object) -> RolloutPlan:
    """Return a plan in its first stage, of 60 s at least, which somebody looked at just now."""
    plan = plans.start(draft_plan().pk).plan
    changes = {"looked_at": timezone.now(), "verdicts": HOLD, "outlook": "error_rate: no data"} | changes
    RolloutPlan.objects.filter(pk=plan.pk).update(**changes)
    plan.refresh_from_db()
    return plan


def since(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def test_a_plan_that_runs_as_it_should_needs_nobody() -> None:
    assert trouble(running(), timezone.now()) == ""


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_a_paused_plan_is_in_the_strip_with_its_reason(viewer: Client, address: str) -> None:
    plans.pause(running().pk, why="The cache is being moved.")
    page = text(viewer.get(address))
    assert "The rollout of endpoint names is paused" in page
    assert "The cache is being moved." in page
    assert "rs-status--warning" in page


def test_one_that_was_taken_back_is_in_the_strip_for_a_day() -> None:
    plan = plans.roll_back(running().pk, why="error_rate: 5 % of 1,000 units failed.").plan
    assert "was taken back. Rolled back from" in trouble(plan, timezone.now())
    assert read_plans(timezone.now(), "default") == {plan.rule_id: plan}
    assert read_plans(timezone.now() + timedelta(days=1, minutes=1), "default") == {}


def test_a_later_rollout_of_the_same_rule_takes_its_place(viewer: Client) -> None:
    plans.roll_back(running().pk)
    plan = plans.start(draft_plan().pk).plan
    assert read_plans(timezone.now(), "default") == {plan.rule_id: plan}
    assert "was taken back" not in text(viewer.get(DASHBOARD))


def test_of_two_drafts_the_one_that_started_last_is_shown() -> None:
    first, second = draft_plan(), draft_plan()
    plans.roll_back(plans.start(second.pk).plan.pk)
    plans.start(first.pk)
    assert read_plans(timezone.now(), "default") == {first.rule_id: first}


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
@pytest.mark.parametrize(
    "changes",
    [
        {"stages": [{"minimum_seconds": 1}]},
        {"stages": "5, 50, 100"},
        {"verdicts": {"error_rate": {}}},
        {"verdicts": ["hold"]},
    ],
)
def test_a_plan_written_by_hand_does_not_take_the_page_down(
    viewer: Client, address: str, changes: dict[str, object]
) -> None:
    running(**changes, stage_began_at=since(60))
    assert "is held in stage 1" in text(viewer.get(address))


def test_a_plan_that_nobody_looks_at_is_in_the_strip() -> None:
    plan = running(looked_at=since(2))
    assert "Nobody looks at the rollout of endpoint names" in trouble(plan, timezone.now())
    assert "Nobody looks" not in trouble(running_again(plan, looked_at=None, stage_began_at=since(0.5)), timezone.now())
    assert "Nobody looks" in trouble(running_again(plan, looked_at=None, stage_began_at=since(2)), timezone.now())


def running_again(plan: RolloutPlan, **changes: object) -> RolloutPlan:
    for name, value in changes.items():
        setattr(plan, name, value)
    return plan


def test_one_that_is_held_for_too_long_is_in_the_strip_with_what_does_not_pass() -> None:
    assert trouble(running(stage_began_at=since(11)), timezone.now()) == ""
    held = RolloutPlan.objects.get()
    held.stage_began_at = since(13)
    words = trouble(held, timezone.now())
    assert "is held in stage 1 of 3, 5 %, for longer than 2 times what it takes" in words
    assert "What does not pass: error rate." in words


def test_the_words_of_the_strip_do_not_change_while_a_plan_waits(viewer: Client) -> None:
    running(stage_began_at=since(30))
    seen = viewer.get(DASHBOARD).context["page"].seen
    RolloutPlan.objects.update(outlook="The stage has lasted 1,234 of at least 60 seconds.", stage_began_at=since(40))
    assert viewer.get(DASHBOARD).context["page"].seen == seen


def test_a_line_tells_stage_time_left_and_verdicts(viewer: Client) -> None:
    began = since(0.1)
    plan = running(stage_began_at=began)
    line = plan_line(plan, began + timedelta(seconds=20))
    assert (line.state, line.where) == ("running", "stage 1 of 3, 5 %")
    assert line.next == "40 s left in this stage at least. error_rate: no data"
    assert plan_line(plan, began + timedelta(seconds=61)).next.startswith("The least time of this stage is")
    assert [(one.percent, one.is_past, one.is_now) for one in line.stages] == [
        ("5", False, True),
        ("50", False, False),
        ("100", False, False),
    ]
    assert line.tally == "1 hold"
    page = text(viewer.get(DASHBOARD))
    assert "Guardrails: 1 hold" in page
    assert "no data in this stage" in page
    assert 'aria-current="step">5' in page


def test_stages_that_somebody_wrote_by_hand_break_no_page(viewer: Client) -> None:
    running(stages=[{"percent": "5"}], stage=4, stage_began_at=since(60))
    assert viewer.get(DASHBOARD).status_code == 200


def test_drafts_are_no_rollouts_yet() -> None:
    draft_plan()
    assert read_plans(timezone.now(), "default") == {}
