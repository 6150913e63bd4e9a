"""`manage.py readshift status`: what the overview says, for terminals and monitoring."""

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.db import ProgrammingError, connections, transaction
from django.utils import timezone

from admin_ui.commands.frame import UNREACHABLE, Terminal, refusal
from admin_ui.commands.status_forms import Report, as_json, say, say_status
from admin_ui.drawing.windows import BUCKET_SECONDS, DEFAULT_MINUTES
from admin_ui.overview.listing import Search
from admin_ui.overview.page import read_overview
from admin_ui.overview.status import Level
from admin_ui.permissions import Powers
from rollout.changes import UNDEFINED_TABLE
from rollout.models import Event, RolloutPlan
from rollout.plan_states import LIVE
from routers.control import control_alias
from routers.looking import ask, look_at_servers

CODES = {Level.HEALTHY: 0, Level.NOTICE: 0, Level.WARNING: 1, Level.CRITICAL: 2}

LAST_EVENTS = 5

_EVERYTHING = Powers(may_see=True, may_see_rules=True, may_lower=True, may_raise=True, may_see_events=True)
"""Whoever may run a command on the machine may read the tables as well."""


class Status:
    """Tells how things stand."""

    name = "status"
    help = (
        "Tell how things stand, as the overview does: what is wrong, where reads ran and why, replicas, rules, plans, "
        "processes and the last events. Asks each server once how it stands. Exits with 0 if nothing is wrong, 1 if "
        "something needs attention, 2 if routing is off: by the kill switch, by the settings, or before migrate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--minutes",
            type=int,
            choices=tuple(BUCKET_SECONDS),
            default=DEFAULT_MINUTES,
            help="how far back to count reads (default: %(default)s)",
        )
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        using = control_alias()
        # A question of Django's own would wait for a server that hangs for as long as its driver does.
        if (finding := ask(using)).is_silent:
            raise refusal(
                f"The database “{using}”, which holds the rules, gave no answer: {finding.error}.", UNREACHABLE
            )
        # Without it nothing can be told, so that the others need not be asked.
        connections[using].ensure_connection()
        report = _read(options["minutes"], using)
        if report is None:
            _say_that_nothing_is_set_up(terminal, using, in_json=options["json"])
            return CODES[Level.CRITICAL]
        if options["json"]:
            terminal.say_json(as_json(report))
        else:
            say(terminal, report)
        return CODES[report.page.status.level]


def _read(minutes: int, using: str) -> Report | None:
    """Read all of it at one moment. Returns None where our tables do not exist."""
    look_at_servers()
    now = timezone.now()
    try:
        with transaction.atomic(using=using):
            return Report(
                at=now,
                overview=read_overview(now, Search(minutes=minutes), _EVERYTHING, using, per_page=sys.maxsize),
                plans=tuple(RolloutPlan.objects.using(using).select_related("rule").filter(state__in=LIVE)),
                events=tuple(Event.objects.using(using)[:LAST_EVENTS]),
            )
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", None) != UNDEFINED_TABLE:
            raise
        return None


def _say_that_nothing_is_set_up(terminal: Terminal, using: str, *, in_json: bool) -> None:
    headline = f"Readshift's tables do not exist in the database “{using}”, so every read goes to the primary."
    details = [f"Create them: python manage.py migrate --database {using}"]
    if in_json:
        terminal.say_json({"level": Level.CRITICAL.value, "headline": headline, "details": details})
    else:
        say_status(terminal, "Not set up", headline, details)
