"""`manage.py readshift doctor`: what is wrong with servers, settings, rules and processes, and what to do about it."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from admin_ui.commands.frame import Terminal
from admin_ui.readiness.diagnosis import Diagnosis, diagnose
from admin_ui.readiness.findings import Finding, Verdict, summary

WELL = 0
ATTENTION = 1
FAIL = 2

_CODES = {Verdict.PASS: WELL, Verdict.ATTENTION: ATTENTION, Verdict.UNKNOWN: ATTENTION, Verdict.FAIL: FAIL}


class Doctor:
    """Looks at everything, changes nothing, and says what to do."""

    name = "doctor"
    help = (
        "Look at the servers, their settings, the project's own, rules, processes, broker and housekeeping, and say "
        "what to do. A server that hangs holds it up for three seconds. Exits with 0 if all is well, 1 if something "
        "needs attention or is not known, 2 if something does not work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        found = diagnose(timezone.now())
        if options["json"]:
            terminal.say_json(found.as_json())
        else:
            _say(terminal, found)
        return _CODES[found.verdict]


def _say(terminal: Terminal, found: Diagnosis) -> None:
    _say_part(terminal, "project", found.project)
    for cluster in found.clusters:
        terminal.say("")
        _say_part(terminal, f"cluster {cluster.cluster}", cluster.checklist)


def _say_part(terminal: Terminal, name: str, findings: Iterable[Finding]) -> None:
    findings = tuple(findings)
    terminal.say(f"{name}: {summary(findings)}")
    width = max(len(verdict.words) for verdict in Verdict)
    for finding in findings:
        terminal.say(f"  {finding.verdict.words:<{width}}  {finding.title}: {finding.fact}")
        if finding.next_step:
            terminal.say(f"  {'':<{width}}  -> {finding.next_step}")
