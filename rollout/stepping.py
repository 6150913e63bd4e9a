"""What a plan does next, from what is known of it now. Pure."""

from dataclasses import dataclass
from datetime import datetime

from rollout.capacity import Capacity
from rollout.foreign import ForeignChange
from rollout.plan_states import LIVE, Action, State
from rollout.stages import Stage
from rollout.verdicts import Decision, Finding


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """Everything that the next step of a plan depends on.

    stage: the number of the present stage, from 0. stage_began_at: None for a plan that has not started.
    foreign: what somebody else has changed, or None. decision: what the guardrails say.
    sample: units of work that replicas served in this stage. capacity: what the check of the next step's load found, or
    None if nobody looked.
    """

    state: State
    stage: int
    stages: tuple[Stage, ...]
    stage_began_at: datetime | None
    foreign: ForeignChange | None
    decision: Decision
    sample: int
    capacity: Capacity | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, or None for nothing, and why.

    foreign: whether it only follows what somebody else has done, which stays as it is.
    """

    action: Action | None
    reason: str
    foreign: bool = False


def next_step(facts: PlanFacts, now: datetime) -> Step:
    """Return what the plan does next.

    What a person did comes first: the plan steps aside, and ends if they took the rollout back. Then a failed guardrail
    takes it back, also while it is paused, as its actors are on replicas all the same. Only then may it go on: if it
    runs, everything passes, the stage has lasted and seen enough, and the replicas can carry the next one.
    """
    if facts.state not in LIVE:
        return Step(None, f"The plan is {facts.state.label.lower()}.")
    if facts.foreign is not None:
        return _aside(facts.state, facts.foreign)
    if facts.decision.finding is Finding.FAIL:
        return Step(Action.ROLL_BACK, _told(facts.decision))
    if facts.state != State.RUNNING:
        return Step(None, "The plan is paused.")
    waiting = _waits_for(facts, now)
    return Step(None, waiting) if waiting else _on(facts)


def _aside(state: State, foreign: ForeignChange) -> Step:
    if foreign.takes_back:
        return Step(Action.ROLL_BACK, foreign.reason, foreign=True)
    if state == State.RUNNING:
        return Step(Action.PAUSE, foreign.reason, foreign=True)
    return Step(None, f"The plan is paused. {foreign.reason}")


def _waits_for(facts: PlanFacts, now: datetime) -> str:
    """Return what keeps a running plan in its stage, or an empty text."""
    if facts.decision.finding is not Finding.PASS:
        return _told(facts.decision)
    stage = facts.stages[facts.stage]
    lasted = (now - facts.stage_began_at).total_seconds() if facts.stage_began_at is not None else 0.0
    if lasted < stage.minimum_seconds:
        return f"The stage has lasted {lasted:,.0f} of at least {stage.minimum_seconds:,} seconds."
    if facts.sample < stage.minimum_sample:
        return f"Replicas have served {facts.sample:,} of at least {stage.minimum_sample:,} units in this stage."
    return ""


def _on(facts: PlanFacts) -> Step:
    passed = _told(facts.decision)
    if facts.stage + 1 >= len(facts.stages):
        return Step(Action.FINISH, passed)
    if facts.capacity is not None and facts.capacity.refusal:
        return Step(None, facts.capacity.refusal)
    note = facts.capacity.note if facts.capacity is not None else ""
    return Step(Action.ADVANCE, f"{passed} {note}".strip())


def _told(decision: Decision) -> str:
    return "; ".join(decision.reasons)
