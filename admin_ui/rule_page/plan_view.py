"""A rule's plans as its page shows them: the newest one in full, those before it by how they ended. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from admin_ui.drawing.figures import duration
from admin_ui.rule_page.guardrails import GuardrailRow, guardrail_rows
from rollout.models import RolloutPlan
from rollout.plan_states import Action, State, after
from rollout.stages import Stage
from rollout.verdicts import Finding
from tasks.reporting.words import grouped


@dataclass(frozen=True, slots=True)
class StageRow:
    """sign, place: whether it is over, the present one or still to come, as a sign and in words.

    more: what the present one still lacks, or empty.
    """

    number: int
    percent: str
    lasts: str
    sample: str
    sign: str
    place: str
    is_present: bool
    more: str


@dataclass(frozen=True, slots=True)
class FormerPlan:
    """One that has ended, or never started. how: the end in words. why: the reason."""

    number: int
    template: str
    stage: str
    how: str
    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """The newest plan of the rule.

    problem: why stages or guardrails cannot be told, or empty. outlook: what it waits for. allowed: what can be done to
    it now, by `Action`.
    """

    number: int
    version: int
    template: str
    flag: str
    state: str
    words: str
    is_live: bool
    reason: str
    outlook: str
    stages: tuple[StageRow, ...]
    guardrails: tuple[GuardrailRow, ...]
    problem: str
    looked_at: datetime | None
    allowed: frozenset[str]


def plan_view(plan: RolloutPlan, now: datetime) -> PlanView:
    """Return a plan as the page shows it."""
    stages: tuple[StageRow, ...] = ()
    guardrails: tuple[GuardrailRow, ...] = ()
    problem = ""
    try:
        stages = tuple(stage_rows(plan, plan.parsed_stages, now))
        guardrails = tuple(guardrail_rows(plan.parsed_guardrails, plan.standings, plan.verdicts))
    except ValidationError as error:
        problem = " ".join(error.messages)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = f"What it has counted cannot be read ({error!r}). Roll it back and start a new one."
    return PlanView(
        number=plan.pk,
        version=plan.version,
        template=plan.template,
        flag=plan.gate_name,
        state=plan.state,
        words=State(plan.state).label,
        is_live=plan.is_live,
        reason=plan.reason,
        outlook=outlook(plan, guardrails) if plan.is_live else "",
        stages=stages,
        guardrails=guardrails,
        problem=problem,
        looked_at=plan.looked_at,
        allowed=frozenset(action for action in Action.values if _is_allowed(plan, stages, Action(action))),
    )


def _is_allowed(plan: RolloutPlan, stages: Sequence[StageRow], action: Action) -> bool:
    try:
        after(State(plan.state), action)
    except ValidationError:
        return False
    is_last = plan.stage + 1 >= len(stages)
    return {Action.ADVANCE: not is_last, Action.FINISH: is_last}.get(action, True)


def stage_rows(plan: RolloutPlan, stages: Sequence[Stage], now: datetime) -> Iterable[StageRow]:
    """Yield a row for each stage, which tells of the present one what it still lacks."""
    has_ended = plan.state in {State.FINISHED, State.ROLLED_BACK}
    for number, stage in enumerate(stages):
        is_present = number == plan.stage and plan.state != State.DRAFT
        is_over = plan.state != State.DRAFT and (number < plan.stage or (is_present and plan.state == State.FINISHED))
        place = "done" if is_over else "ended here" if is_present and has_ended else "now" if is_present else "to come"
        yield StageRow(
            number=number + 1,
            percent=f"{stage.percent.normalize():f} %",
            lasts=duration(stage.minimum_seconds) if stage.minimum_seconds else "any time",
            sample=grouped(stage.minimum_sample),
            sign={"done": "✓", "now": "▶", "ended here": "■", "to come": "·"}[place],
            place=place if not (has_ended and place == "to come") else "not reached",
            is_present=is_present,
            more=lacking(plan, stage, now) if is_present and plan.is_live else "",
        )


def lacking(plan: RolloutPlan, stage: Stage, now: datetime) -> str:
    """Say how much time and how many units the present stage of a live plan still needs."""
    if plan.state == State.PAUSED:
        return "paused: begins anew when it is resumed"
    lasted = now - plan.stage_began_at if plan.stage_began_at is not None else timedelta()
    left = stage.minimum_seconds - lasted.total_seconds()
    time = f"at least {duration(left)} left" if left > 0 else f"its time is over, it has lasted {_lasted(lasted)}"
    return f"{time}; {grouped(plan.sample)} of {grouped(stage.minimum_sample)} units"


def outlook(plan: RolloutPlan, guardrails: Sequence[GuardrailRow]) -> str:
    """Say what a live plan waits for. Guardrails are named: the reasons stand beside them."""
    holding = [row.name for row in guardrails if row.finding == Finding.HOLD and not row.is_trial]
    if plan.state == State.RUNNING and plan.verdicts and holding:
        return f"It goes on once these pass: {', '.join(holding)}."
    return plan.outlook


def former_plan(plan: RolloutPlan) -> FormerPlan:
    """Return one line on a plan that is not the newest any more."""
    return FormerPlan(
        number=plan.pk,
        template=plan.template or "by hand",
        stage=f"{plan.stage + 1} of {len(plan.stages)}" if plan.started_at is not None else "not started",
        how=State(plan.state).label,
        at=plan.ended_at,
        why=plan.reason,
    )


def _lasted(lasted: timedelta) -> str:
    return duration(max(lasted.total_seconds(), 0.0))
