"""How things stand, as JSON and as text."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from admin_ui.commands.frame import Terminal
from admin_ui.commands.plans import as_json as plan_as_json
from admin_ui.drawing.figures import measured, percent
from admin_ui.events.words import EventWords
from admin_ui.overview.page import Overview, Page
from admin_ui.overview.rows import RuleRow
from admin_ui.replicas.board import ReplicaRow
from rollout.models import Event, RolloutPlan
from rollout.notable import Notice
from tasks.reporting.words import grouped

TOP_REASONS = 5


@dataclass(frozen=True, slots=True)
class Report:
    """overview: what it shows at this moment. plans: those that are under way. events: the last, newest first."""

    at: datetime
    overview: Overview
    plans: tuple[RolloutPlan, ...]
    events: tuple[Event, ...]

    @property
    def page(self) -> Page:
        return self.overview.page

    @property
    def rules(self) -> tuple[RuleRow, ...]:
        return self.overview.listing.rows if self.overview.listing is not None else ()

    @property
    def plan_by_rule(self) -> Mapping[int, RolloutPlan]:
        return {plan.rule_id: plan for plan in self.plans}


def as_json(report: Report) -> dict[str, Any]:
    """Return it for programs. The keys are documented, and stay."""
    page, reads = report.page, report.page.distribution
    return {
        "at": report.at.isoformat(),
        "level": page.status.level.value,
        "headline": page.status.headline,
        "details": list(page.status.details),
        "revision": page.policy.revision,
        "minutes": reads.window.minutes,
        "reads": {
            "total": reads.total,
            "on_replicas": reads.on_replicas,
            "percent_on_replicas": float(reads.share_on_replicas),
            "databases": [
                {"alias": one.alias, "is_primary": one.is_primary, "reads": one.count, "percent": float(one.share)}
                for one in reads.databases
            ],
            "reasons": [
                {"code": one.code, "words": one.label, "reads": one.count, "percent": float(one.share)}
                for one in reads.reasons
            ],
        },
        "replicas": [_replica(cluster.primary, row) for cluster in page.board.clusters for row in cluster.replicas],
        "rules": [_rule(row, report.plan_by_rule.get(row.pk)) for row in report.rules],
        "plans": [plan_as_json(plan) for plan in report.plans],
        "processes": page.processes.propagation.as_json(),
        "events": [Notice.of(event).content for event in report.events],
    }


def say(terminal: Terminal, report: Report) -> None:
    """Write it for people."""
    page = report.page
    say_status(terminal, page.status.level.word, page.status.headline, page.status.details)
    _say_reads(terminal, page)
    _head(terminal, "Replicas, as this process has just found them")
    terminal.say_columns(
        ("replica", "pool", "state", "lag"),
        ((row.alias, row.pool, _state(row), row.lag) for row in page.board.rows),
    )
    _head(terminal, "Rules")
    terminal.say_columns(
        ("rule", "mode", "on replicas", "stage", "shadow reads"),
        (tuple(_rule_cells(row, report.plan_by_rule.get(row.pk))) for row in report.rules),
    )
    if report.plans:
        _head(terminal, "Plans under way")
        terminal.say_columns(
            ("plan", "rule", "state", "stage", "flag at", "next"),
            (
                (str(plan.pk), str(plan.rule), plan.state, _stage(plan), percent(plan.expected_percent), plan.outlook)
                for plan in report.plans
            ),
        )
    _head(terminal, "Processes")
    terminal.say(f"  {page.processes.words}")
    _head(terminal, "Last events")
    terminal.say_columns(("when", "who", "what"), (_event_cells(EventWords.of(event)) for event in report.events))


def say_status(terminal: Terminal, word: str, headline: str, details: Iterable[str]) -> None:
    """Write what the strip at the top of the overview says, and below it why."""
    terminal.say(f"{word}: {headline}")
    terminal.say_table(("  -", detail) for detail in details)


def _say_reads(terminal: Terminal, page: Page) -> None:
    reads = page.distribution
    share = f", {measured(reads.share_on_replicas)} on replicas" if reads.total else ""
    _head(terminal, f"Reads of the last {reads.window.words}: {grouped(reads.total)}{share}")
    if not reads.total:
        return
    terminal.say_columns(
        ("database", "reads", "share"),
        ((one.alias, grouped(one.count), measured(one.share)) for one in reads.databases),
    )
    _head(terminal, "Why reads used the primary")
    terminal.say_columns(
        ("reads", "share", "reason"),
        ((grouped(one.count), measured(one.share), one.label) for one in reads.reasons[:TOP_REASONS]),
    )


def _head(terminal: Terminal, text: str) -> None:
    terminal.say(f"\n{text}")


def _replica(primary: str, row: ReplicaRow) -> dict[str, Any]:
    drain = row.drain
    return {
        "primary": primary,
        "alias": row.alias,
        "pool": row.pool,
        "weight": row.weight,
        "state": row.state.value,
        "words": row.words,
        "detail": row.detail,
        "lag": row.lag,
        "drained": None if drain is None else {"by": drain.by, "reason": drain.reason, "at": drain.at.isoformat()},
    }


def _rule(row: RuleRow, plan: RolloutPlan | None) -> dict[str, Any]:
    return {
        "rule": f"{row.target_kind}:{row.target}",
        "mode": row.mode,
        "gate": None if row.gate is None else {"kind": row.gate.kind, "name": row.gate.name},
        "percent": float(row.share.percent),
        "explanation": row.explanation,
        "plan": None if plan is None else {"plan": plan.pk, "state": plan.state, "stage": plan.stage},
        "shadow": None if row.shadow is None else {"verdict": row.shadow.judgement, "reason": row.shadow.reason},
    }


def _rule_cells(row: RuleRow, plan: RolloutPlan | None) -> Iterator[str]:
    yield f"{row.target_kind}:{row.target}"
    yield row.mode
    yield str(row.share)
    yield "-" if plan is None else f"{_stage(plan)}, {plan.state}"
    yield "-" if row.shadow is None else row.shadow.words


def _stage(plan: RolloutPlan) -> str:
    return f"{plan.stage + 1} of {len(plan.stages)}"


def _state(row: ReplicaRow) -> str:
    return "; ".join(filter(None, (f"is drained by {row.drain.by}" if row.drain else "", row.words, row.detail)))


def _event_cells(event: EventWords) -> tuple[str, str, str]:
    changes = f" ({event.line})" if event.line else ""
    return event.local, event.who or event.door, f"{event.subject_kind} {event.subject} {event.what}{changes}"
