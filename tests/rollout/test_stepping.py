"""What a plan does next, and what keeps it from that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.capacity import Capacity
from rollout.foreign import ForeignChange
from rollout.plan_states import TRANSITIONS, Action, State
from rollout.stages import Stage
from rollout.stepping import PlanFacts, Step, next_step
from rollout.verdicts import Decision, Finding

BEGAN = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATER = BEGAN + timedelta(seconds=60)
PASS, HOLD, FAIL = (Decision(finding, (f"it is a {finding.value}",)) for finding in Finding)
CHANGED, TAKEN_BACK = ForeignChange("somebody did it"), ForeignChange("somebody closed it", takes_back=True)
READY = PlanFacts(
    state=State.RUNNING,
    stage=0,
    stages=(Stage(Decimal(5), 60, 100), Stage(Decimal(100), 60, 100)),
    stage_began_at=BEGAN,
    foreign=None,
    decision=PASS,
    sample=100,
)


def test_a_plan_that_has_all_it_needs_advances_and_says_why() -> None:
    assert next_step(READY, LATER) == Step(Action.ADVANCE, "it is a pass")


def test_it_tells_what_the_check_of_capacity_rests_on() -> None:
    step = next_step(replace(READY, capacity=Capacity(note="None was checked.")), LATER)
    assert step == Step(Action.ADVANCE, "it is a pass None was checked.")


def test_after_the_last_stage_it_finishes_whatever_the_replicas_could_carry_beyond() -> None:
    facts = replace(READY, stage=1, capacity=Capacity(refusal="no room"))
    assert next_step(facts, LATER) == Step(Action.FINISH, "it is a pass")


@pytest.mark.parametrize(
    ("facts", "now", "words"),
    [
        (replace(READY, decision=HOLD), LATER, "it is a hold"),
        (READY, LATER - timedelta(milliseconds=1), "has lasted 60 of at least 60 seconds"),
        (replace(READY, stage_began_at=None), LATER, "has lasted 0 of at least 60"),
        (replace(READY, sample=99), LATER, "have served 99 of at least 100 units"),
        (replace(READY, capacity=Capacity(refusal="no room without a")), LATER, "no room without a"),
        (replace(READY, stage=1, sample=0), LATER, "have served 0"),
        (replace(READY, state=State.PAUSED), LATER, "paused"),
        (replace(READY, state=State.PAUSED, foreign=CHANGED), LATER, "somebody did it"),
        (replace(READY, state=State.DRAFT, decision=FAIL), LATER, "draft"),
        (replace(READY, state=State.FINISHED, decision=FAIL, foreign=TAKEN_BACK), LATER, "finished"),
        (replace(READY, state=State.ROLLED_BACK, decision=FAIL), LATER, "rolled back"),
    ],
)
def test_what_it_waits_for_is_told(facts: PlanFacts, now: datetime, words: str) -> None:
    step = next_step(facts, now)
    assert step.action is None
    assert words in step.reason


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED])
@pytest.mark.parametrize("facts", [READY, replace(READY, sample=0, stage_began_at=LATER)])
def test_a_failure_takes_it_back_at_once(facts: PlanFacts, state: State) -> None:
    step = next_step(replace(facts, state=state, decision=FAIL, capacity=Capacity(refusal="no room")), LATER)
    assert step == Step(Action.ROLL_BACK, "it is a fail")


@pytest.mark.parametrize("decision", [PASS, HOLD, FAIL])
def test_what_a_person_did_comes_first(decision: Decision) -> None:
    facts = replace(READY, decision=decision)
    assert next_step(replace(facts, foreign=CHANGED), LATER) == Step(Action.PAUSE, "somebody did it", foreign=True)
    for state in (State.RUNNING, State.PAUSED):
        taken_back = replace(facts, state=state, foreign=TAKEN_BACK)
        assert next_step(taken_back, LATER) == Step(Action.ROLL_BACK, "somebody closed it", foreign=True)


@given(
    st.builds(
        PlanFacts,
        state=st.sampled_from(State),
        stage=st.integers(0, 1),
        stages=st.just(READY.stages),
        stage_began_at=st.sampled_from([None, BEGAN, LATER]),
        foreign=st.sampled_from([None, CHANGED, TAKEN_BACK]),
        decision=st.sampled_from([PASS, HOLD, FAIL]),
        sample=st.integers(0, 200),
        capacity=st.sampled_from([None, Capacity(), Capacity(refusal="no room")]),
    )
)
def test_every_step_is_possible_and_only_a_pass_raises(facts: PlanFacts) -> None:
    step = next_step(facts, LATER)
    assert step.reason
    if step.action is not None:
        assert (facts.state, step.action) in TRANSITIONS
    if step.action is Action.ADVANCE:
        assert (facts.decision, facts.foreign, facts.state) == (PASS, None, State.RUNNING)
