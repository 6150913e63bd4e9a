"""`manage.py readshift shadow`: what shadow reads found about each rule, and about each statement of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from admin_ui.commands.frame import Terminal, days, refusal
from tasks.reporting.findings import CauseCount, Findings, cause_words
from tasks.reporting.queries import RuleReport, StatementReport, as_json, read_reports
from tasks.reporting.verdicts import Judgement
from tasks.reporting.words import grouped, milliseconds, percent

SAFE = 0
LOOK = 1
WAIT = 2
UNAVAILABLE = 3

DAYS = 7
_CODES = {Judgement.SAFE: SAFE, Judgement.WAIT: WAIT, Judgement.LOOK: LOOK}
_GRAVEST_FIRST = (Judgement.LOOK, Judgement.WAIT, Judgement.SAFE)
_LONGEST_OUTLINE = 160


class Shadow:
    """Reports on all rules, or on one."""

    name = "shadow"
    help = (
        "Report what shadow reads found about each rule and each statement of it. Exits with 0 if all that were asked "
        "about are safe to route, 1 if one needs a look, 2 if for one there is not enough data yet, 3 if there is no "
        "such rule."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", nargs="?", help="the endpoint or model of one rule; without it, all rules")
        parser.add_argument("--days", type=days, default=DAYS, help="how far back to look (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        reports = read_reports(timezone.now() - timedelta(days=options["days"]))
        if (target := options["target"]) is not None:
            known = ", ".join(report.target for report in reports) or "none"
            reports = tuple(report for report in reports if report.target == target)
            if not reports:
                raise refusal(f"No rule has the target “{target}”. The targets are {known}.", UNAVAILABLE)
        if options["json"]:
            terminal.say_json({"rules": [as_json(report) for report in reports]})
        else:
            for number, report in enumerate(reports):
                if number:
                    terminal.say("")
                _say(terminal, report)
        found = {report.verdict.judgement for report in reports}
        return next((_CODES[judgement] for judgement in _GRAVEST_FIRST if judgement in found), SAFE)


def _say(terminal: Terminal, report: RuleReport) -> None:
    terminal.say(f"{report.target_kind} {report.target}: {report.verdict.words}")
    terminal.say_table([("  why", report.verdict.reason), *_rows(report.findings)])
    for statement in report.statements:
        terminal.say(f"\n  statement {statement.fingerprint}: {statement.verdict.words}")
        terminal.say_table([("    text", _short(statement)), *_rows(statement.findings, indent="    ")])


def _rows(findings: Findings, indent: str = "  ") -> Iterator[tuple[str, str]]:
    counts = findings.counts
    yield f"{indent}compared", grouped(counts.compared)
    yield f"{indent}causes", "; ".join(map(_cause, findings.causes))
    if findings.stale is not None and findings.stale.share:
        low, high = findings.stale.bounds.low, findings.stale.bounds.high
        yield f"{indent}stale", f"{percent(findings.stale.share)} ({percent(low)} to {percent(high)})"
    if (staleness := findings.staleness) is not None:
        p50, p95, most = map(milliseconds, (staleness.p50, staleness.p95, staleness.max))
        yield f"{indent}staleness", f"median {p50}, 95th percentile {p95}, most {most}"
    if (latency := findings.latency) is not None:
        primary, replica = milliseconds(latency.primary_p50), milliseconds(latency.replica_p50)
        ratio = f", ratio {latency.ratio:.2f}" if latency.ratio is not None else ""
        yield f"{indent}medians", f"primary {primary}, replica {replica}{ratio}"
    yield f"{indent}replay", ", ".join(f"manage.py readshift replay {pk}" for pk in findings.examples[:1])


def _cause(one: CauseCount) -> str:
    cause = f": {cause_words(one.cause)}" if one.cause else ""
    return f"{grouped(one.count)} {one.outcome}{cause}"


def _short(statement: StatementReport) -> str:
    outline = statement.outline
    return outline if len(outline) <= _LONGEST_OUTLINE else f"{outline[: _LONGEST_OUTLINE - 1]}…"
