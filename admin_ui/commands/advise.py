"""`manage.py readshift advise`: which endpoints to move first, by the load that is won and by risk."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from admin_ui.advice.page import read_advice
from admin_ui.advice.ranking import Advice, Advisory
from admin_ui.commands.frame import Terminal, refusal
from admin_ui.commands.spans import add_length, minutes_of
from admin_ui.drawing.figures import took
from routers.control import control_alias
from tasks.reporting.words import SECONDS_FROM_MS, counted, figure, grouped, milliseconds, percent

DONE = 0
NO_DATA = 2
REFUSED = 2

_MINUTES = 60.0
_MOST = 10


class Advise:
    """Ranks endpoints before anything moves. Endpoints need no rule for it."""

    name = "advise"
    help = (
        "Rank endpoints by the reads that the primary would be rid of, less those at risk, with the next step for "
        "each. It works without any rule, and changes nothing. Exits with 0 if there is advice, 2 if no read of any "
        "endpoint was counted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_length(parser)
        parser.add_argument("--limit", type=int, default=_MOST, help="how many endpoints (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        if options["limit"] < 1:
            raise refusal(f"--limit is {options['limit']}. Ask for 1 endpoint or more.", REFUSED)
        minutes = minutes_of(options, _MINUTES, REFUSED)
        advisory = read_advice(timezone.now(), minutes, control_alias())
        if options["json"]:
            terminal.say_json(advisory.as_json(options["limit"]))
        else:
            _say(terminal, advisory, options["limit"])
        return DONE if advisory.endpoints else NO_DATA


def _say(terminal: Terminal, advisory: Advisory, limit: int) -> None:
    minutes = advisory.span.minutes
    terminal.say(
        f"In {minutes:.0f} minutes, {grouped(advisory.reads)} reads were counted, {grouped(advisory.on_primary)} of "
        f"them on the primary. {grouped(advisory.movable)} of those could move."
    )
    for note in advisory.notes:
        terminal.say(note)
    if not advisory.endpoints:
        terminal.say(
            "No read of any endpoint was counted. Is routers.middleware.ReadshiftMiddleware in MIDDLEWARE, and did "
            "anybody use the project meanwhile? Look further back with --minutes or --days."
        )
    for number, advice in enumerate(advisory.endpoints[:limit], 1):
        terminal.say(f"\n{number}. {advice.endpoint}")
        terminal.say_table(_rows(advice, minutes))
    if (left := len(advisory.endpoints) - limit) > 0:
        terminal.say(f"\n{grouped(left)} more with --limit {len(advisory.endpoints)}.")


def _rows(advice: Advice, minutes: float) -> Iterator[tuple[str, str]]:
    evidence, sums = advice.evidence, advice.evidence.sums
    seconds = advice.database_seconds
    time = "" if seconds is None else f", about {milliseconds(seconds * SECONDS_FROM_MS)} of the primary's work"
    undecided = f"; {grouped(evidence.undecided)} are undecided" if evidence.undecided else ""
    won = f"{grouped(evidence.movable)} of {counted(sums.reads, 'read')}"
    rate, share = figure(evidence.movable / minutes), percent(advice.movable_share)
    yield "   to win", f"{won} ({rate} a minute, {share} of the primary's){time}{undecided}"
    yield "   moved", f"{counted(sums.on_replicas, 'read')} on replicas already" if sums.on_replicas else ""
    slow = sums.quantile(0.95)
    within = "" if slow is None else f", 95 % of them within {took(slow)}"
    yield "   units", f"{grouped(sums.units)} ({figure(sums.units / minutes)} a minute){within}" if sums.units else ""
    few = ", from few units only" if advice.is_thin else ""
    yield "   risk", f"{advice.level} ({percent(advice.risk)}){few}"
    for risk in advice.risks:
        yield f"   {risk.hazard.replace('_', ' ')}", risk.words
    yield "   stays", "; ".join(advice.stays)
    rule = evidence.rule
    yield "   rule", "none" if rule is None else f"in mode {rule.mode}"
    yield "   next", str(advice.next)
