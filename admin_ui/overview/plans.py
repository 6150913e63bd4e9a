"""Rollouts as the overview shows them: the stage, what comes next, the guardrails' verdicts, and who is waited for."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q

from admin_ui.drawing.figures import duration
from rollout.models import RolloutPlan
from rollout.plan_states import LIVE, State
from rollout.plan_work import where
from rollout.verdicts import Finding

RECENT = timedelta(days=1)
"""For how long a rollout that was taken back is on the page, unless a later one takes its place."""

OVERDUE = 2
"""A stage that lasts for longer than so many times what it must is worth a look."""

PATIENCE = timedelta(minutes=10)
"""How much longer than that, for stages of a few seconds."""

UNWATCHED = timedelta(minutes=1)
"""After how long without a look a running plan has nobody who looks. Usually that is every two seconds."""


@dataclass(frozen=True, slots=True)
class StageMark:
    """One stage in the row of all. is_past: it is over. is_now: the plan is in it."""

    percent: str
    is_past: bool
    is_now: bool


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """What one guardrail says. finding: names the CSS class."""

    finding: str
    words: str
    is_trial: bool


@dataclass(frozen=True, slots=True)
class PlanLine:
    """The rollout of one rule. next: what it waits for, and for how long at least. trouble: as `trouble` has it."""

    state: str
    where: str
    next: str
    trouble: str
    stages: tuple[StageMark, ...]
    verdicts: tuple[VerdictLine, ...]

    @property
    def tally(self) -> str:
        """How many guardrails say what, the gravest first: 1 fail, 2 hold, 3 pass."""
        found = Counter(verdict.finding for verdict in self.verdicts)
        return ", ".join(f"{found[each]} {each}" for each in (Finding.FAIL, Finding.HOLD, Finding.PASS) if found[each])


def read_plans(now: datetime, using: str) -> Mapping[int, RolloutPlan]:
    """Return the rollout of each rule that started last, by the rule's id, if it runs or ended lately, in one query."""
    rows = (
        RolloutPlan.objects.using(using)
        .select_related("rule")
        .filter(Q(state__in=LIVE) | Q(ended_at__gte=now - RECENT))
        .defer("standings", "horizons", "guardrails", "expected_targets", "rule__note")
        .order_by("started_at", "pk")
    )
    return {plan.rule_id: plan for plan in rows}


def trouble(plan: RolloutPlan, now: datetime) -> str:
    """Say what about this plan needs a person, or nothing. No figure in it changes by itself. Pure."""
    rollout = f"The rollout of {plan.rule}"
    if plan.state == State.ROLLED_BACK:
        return f"{rollout} was taken back. {plan.reason}"
    if plan.state == State.PAUSED:
        return f"{rollout} is paused, and stays so until somebody resumes it or rolls it back. {plan.reason}"
    if plan.state != State.RUNNING or plan.stage_began_at is None:
        return ""
    if now - (plan.looked_at or plan.stage_began_at) > UNWATCHED:
        return (
            f"Nobody looks at the rollout of {plan.rule}, so no guardrail would take it back. Is a Celery worker with "
            f"Readshift's schedule running, or any process that reads under a rule?"
        )
    if now - plan.stage_began_at > OVERDUE * timedelta(seconds=_least_seconds(plan)) + PATIENCE:
        return f"{rollout} is held in {where(plan)}, for longer than {OVERDUE} times what it takes. {_holders(plan)}"
    return ""


def plan_line(plan: RolloutPlan, now: datetime) -> PlanLine:
    """Return how one plan stands. Pure."""
    return PlanLine(
        state=State(plan.state).label.lower(),
        where=where(plan),
        next=_next(plan, now),
        trouble=trouble(plan, now),
        stages=tuple(_stages(plan)),
        verdicts=tuple(_verdicts(plan)),
    )


def _next(plan: RolloutPlan, now: datetime) -> str:
    if plan.state != State.RUNNING or plan.stage_began_at is None:
        return plan.reason
    left = _least_seconds(plan) - (now - plan.stage_began_at).total_seconds()
    lasts = f"{duration(left)} left in this stage at least" if left > 0 else "The least time of this stage is over"
    return f"{lasts}. {plan.outlook}".strip() if plan.outlook else f"{lasts}."


def _least_seconds(plan: RolloutPlan) -> int:
    """Return how long the present stage lasts at least. Stages that somebody has written by hand may say anything."""
    try:
        return int(plan.stages[plan.stage]["minimum_seconds"])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0


def _stages(plan: RolloutPlan) -> Iterator[StageMark]:
    """Yield a mark for each stage, and none for what somebody has written by hand and cannot be read."""
    try:
        stages = plan.parsed_stages
    except ValidationError:
        return
    for number, stage in enumerate(stages):
        percent = f"{stage.percent.normalize():f}"
        yield StageMark(percent, is_past=number < plan.stage, is_now=number == plan.stage)


def _verdicts(plan: RolloutPlan) -> Iterator[VerdictLine]:
    return (line for _, line in _named_verdicts(plan))


def _named_verdicts(plan: RolloutPlan) -> Iterator[tuple[str, VerdictLine]]:
    """Yield what each guardrail says, by its metric, without what somebody has written by hand and cannot be read."""
    verdicts = plan.verdicts if isinstance(plan.verdicts, dict) else {}
    for metric, verdict in verdicts.items():
        if isinstance(verdict, dict) and verdict.keys() >= {"finding", "reason", "trial"}:
            yield metric, VerdictLine(str(verdict["finding"]), str(verdict["reason"]), bool(verdict["trial"]))


def _holders(plan: RolloutPlan) -> str:
    names = [
        metric.replace("_", " ")
        for metric, verdict in _named_verdicts(plan)
        if verdict.finding == Finding.HOLD and not verdict.is_trial
    ]
    return f"What does not pass: {', '.join(names)}." if names else "Its outlook stands beside its rule."
