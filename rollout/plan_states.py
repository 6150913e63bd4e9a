"""The states of a rollout plan and what leads from one to another. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from django.core.exceptions import ValidationError
from django.db import models


class State(models.TextChoices):
    """Where a plan is. The values are stored."""

    DRAFT = "draft", "Draft"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    ROLLED_BACK = "rolled_back", "Rolled back"
    FINISHED = "finished", "Finished"


class Action(models.TextChoices):
    """What may be done to a plan."""

    START = "start", "Start"
    PAUSE = "pause", "Pause"
    RESUME = "resume", "Resume"
    ADVANCE = "advance", "Advance"
    ROLL_BACK = "roll_back", "Roll back"
    FINISH = "finish", "Finish"


LIVE = (State.RUNNING, State.PAUSED)
"""While a plan is in one of these, it answers for the percentage of its flag, and no other plan does."""

TRANSITIONS: Mapping[tuple[State, Action], State] = MappingProxyType(
    {
        (State.DRAFT, Action.START): State.RUNNING,
        (State.RUNNING, Action.ADVANCE): State.RUNNING,
        (State.RUNNING, Action.PAUSE): State.PAUSED,
        (State.RUNNING, Action.FINISH): State.FINISHED,
        (State.RUNNING, Action.ROLL_BACK): State.ROLLED_BACK,
        (State.PAUSED, Action.RESUME): State.RUNNING,
        (State.PAUSED, Action.ROLL_BACK): State.ROLLED_BACK,
        # A finished rollout is taken back too. Nothing leads out of a rolled back one: whoever tries again makes a new
        # plan, whose evidence starts afresh.
        (State.FINISHED, Action.ROLL_BACK): State.ROLLED_BACK,
    }
)
"""All that there are. What is not in here is refused."""


def after(state: State, action: Action) -> State:
    """Return the state that the action leads to. Raises ValidationError, which names what is allowed instead."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        allowed = [each.value for each in Action if (state, each) in TRANSITIONS]
        instead = f"What is possible: {', '.join(allowed)}." if allowed else "Make a new plan."
        raise ValidationError(
            f"The plan is {state.label.lower()}, so “{action.value}” is not possible. {instead}"
        ) from None


def is_done(state: State, action: Action) -> bool:
    """Say whether a plan is already where the action would lead, so that doing it again changes nothing."""
    return (state, action) not in TRANSITIONS and state in {
        goal for (_, each), goal in TRANSITIONS.items() if each is action
    }
