"""The table of a plan's states: each pair of state and action leads where it should, or is refused with what may be."""

import pytest
from django.core.exceptions import ValidationError

from rollout.plan_states import LIVE, TRANSITIONS, Action, State, after, is_done

EXPECTED = {
    State.DRAFT: {Action.START: State.RUNNING},
    State.RUNNING: {
        Action.PAUSE: State.PAUSED,
        Action.ADVANCE: State.RUNNING,
        Action.FINISH: State.FINISHED,
        Action.ROLL_BACK: State.ROLLED_BACK,
    },
    State.PAUSED: {Action.RESUME: State.RUNNING, Action.ROLL_BACK: State.ROLLED_BACK},
    State.FINISHED: {Action.ROLL_BACK: State.ROLLED_BACK},
    State.ROLLED_BACK: {},
}
DONE = {
    (State.RUNNING, Action.START),
    (State.RUNNING, Action.RESUME),
    (State.PAUSED, Action.PAUSE),
    (State.FINISHED, Action.FINISH),
    (State.ROLLED_BACK, Action.ROLL_BACK),
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", State)
def test_every_state_and_action(state: State, action: Action) -> None:
    allowed = EXPECTED[state]
    assert is_done(state, action) is ((state, action) in DONE)
    if action in allowed:
        assert after(state, action) is allowed[action]
        return
    with pytest.raises(ValidationError) as refusal:
        after(state, action)
    (message,) = refusal.value.messages
    assert state.label.lower() in message
    assert f"“{action.value}”" in message
    if allowed:
        assert all(each.value in message for each in allowed)
    else:
        assert "Make a new plan" in message


def test_what_answers_for_the_flag_can_always_be_rolled_back() -> None:
    assert all(TRANSITIONS[state, Action.ROLL_BACK] is State.ROLLED_BACK for state in LIVE)


def test_nothing_leads_out_of_a_rolled_back_plan() -> None:
    assert not [state for state, _ in TRANSITIONS if state is State.ROLLED_BACK]
