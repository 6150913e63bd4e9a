"""A plan as the page of its rule shows it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from admin_ui.rule_page.plan_view import former_plan, plan_view
from rollout.models import RolloutPlan
from rollout.plan_states import State
from rollout.stages import TEMPLATES, as_json

NOW = datetime(2026, 11, 25, 3, 12, tzinfo=UTC)


def plan(**changes: Any) -> RolloutPlan:
    values: dict[str, Any] = {
        "pk": 7,
        "state": State.RUNNING,
        "stage": 1,
        "stages": as_json(TEMPLATES["fast"].stages),
        "guardrails": [{"metric": "lag"}, {"metric": "error_rate", "trial": True}],
        "stage_began_at": NOW - timedelta(minutes=3),
        "started_at": NOW - timedelta(hours=1),
        "sample": 250,
        **changes,
    }
    return RolloutPlan(**values)


def seen(**changes: Any) -> list[tuple[str, str]]:
    return [(stage.place, stage.more.replace("\u202f", " ")) for stage in plan_view(plan(**changes), NOW).stages]


def test_the_present_stage_says_what_it_lacks() -> None:
    assert seen() == [("done", ""), ("now", "at least 2 min left; 250 of 1 000 units"), ("to come", "")]


def test_a_stage_whose_time_is_over_says_for_how_long_it_has_lasted() -> None:
    more = seen(stage_began_at=NOW - timedelta(minutes=12))[1][1]
    assert more == "its time is over, it has lasted 12 min; 250 of 1 000 units"


def test_a_paused_stage_begins_anew() -> None:
    assert seen(state=State.PAUSED)[1] == ("now", "paused: begins anew when it is resumed")


@pytest.mark.parametrize(
    ("state", "stage", "places"),
    [
        (State.ROLLED_BACK, 1, ["done", "ended here", "not reached"]),
        (State.FINISHED, 2, ["done", "done", "done"]),
        (State.DRAFT, 0, ["to come", "to come", "to come"]),
    ],
)
def test_where_a_plan_that_does_not_run_stands(state: State, stage: int, places: list[str]) -> None:
    assert [place for place, _ in seen(state=state, stage=stage)] == places
    assert not any(more for _, more in seen(state=state, stage=stage))


@pytest.mark.parametrize(
    ("state", "stage", "allowed"),
    [
        (State.RUNNING, 0, {"pause", "advance", "roll_back"}),
        (State.RUNNING, 2, {"pause", "finish", "roll_back"}),
        (State.PAUSED, 2, {"resume", "roll_back"}),
        (State.FINISHED, 2, {"roll_back"}),
        (State.ROLLED_BACK, 1, set()),
    ],
)
def test_only_what_the_state_and_the_stage_allow_is_offered(state: State, stage: int, allowed: set[str]) -> None:
    assert plan_view(plan(state=state, stage=stage), NOW).allowed == allowed


def test_it_names_the_guardrails_that_it_waits_for_and_not_those_in_trial() -> None:
    verdicts = {
        name: {"finding": "hold", "reason": "no data", "trial": name == "error_rate"} for name in ("lag", "error_rate")
    }
    assert plan_view(plan(verdicts=verdicts), NOW).outlook == "It goes on once these pass: Lag."
    verdicts["lag"]["finding"] = "pass"
    assert plan_view(plan(verdicts=verdicts, outlook="It waits."), NOW).outlook == "It waits."
    assert plan_view(plan(state=State.FINISHED, outlook="It waits."), NOW).outlook == ""


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"stages": [{"percent": 5}]}, "Stage 1 is {'percent': 5}"),
        ({"guardrails": [{"metric": "p99"}]}, "There is no metric 'p99'"),
        ({"standings": {"lag": {}}}, "What it has counted cannot be read"),
        ({"verdicts": {"lag": {"finding": "perhaps", "reason": "", "trial": False}}}, "cannot be read"),
        ({"verdicts": ["hold"]}, "cannot be read"),
    ],
)
def test_what_somebody_has_written_by_hand_is_said_and_breaks_nothing(changes: Any, problem: str) -> None:
    view = plan_view(plan(**changes), NOW)
    assert problem in view.problem
    assert view.guardrails == ()
    assert view.is_live


def test_a_former_plan_is_one_line() -> None:
    ended = former_plan(plan(state=State.ROLLED_BACK, template="fast", reason="Errors.", ended_at=NOW))
    assert (ended.stage, ended.how, ended.template, ended.at, ended.why) == (
        "2 of 3",
        "Rolled back",
        "fast",
        NOW,
        "Errors.",
    )
    assert former_plan(plan(state=State.DRAFT, started_at=None)).stage == "not started"
