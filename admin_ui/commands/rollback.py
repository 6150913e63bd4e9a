"""`manage.py readshift rollback`: reads back to the primary, from a terminal or a script."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import DatabaseError

from admin_ui.commands.frame import Terminal, refusal
from admin_ui.commands.spread import add_waiting, spread_as_json, wait_for_all
from rollout.models import RoutingRule
from rollout.naming import rules_named
from rollout.rollback import RolledBack, roll_back_all, roll_back_rules
from routers.control import control_alias

DONE = 0
FAILED = 1
REFUSED = 3
AWAITED = 4


class Rollback:
    """Takes back rules, or everything. Whoever may run it on the machine may do so; it asks nothing."""

    name = "rollback"
    help = (
        "Take the reads of one or more rules back to the primary in every process, or all reads. It asks nothing, and "
        "needs the primary only. Exits with 0 if they are there now, also if they were before; 1 if the primary did "
        "not take the change; 3 if a name means no rule, or several, and then nothing was changed; 4 if --wait ended "
        "before every process had said that it acts on it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument(
            "rules",
            nargs="*",
            default=[],
            metavar="rule",
            help="such as endpoint:shop:product-list or model:shop.Product; the target alone, if one rule has it",
        )
        chosen.add_argument("--all", action="store_true", help="every read, by the kill switch")
        parser.add_argument("--why", default="", metavar="TEXT", help="the reason, for the record of events")
        add_waiting(parser)
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        try:
            done = _roll_back(options["rules"], control_alias(), everything=options["all"])
        except DatabaseError as error:
            text = str(error).strip()
            raise refusal(f"The primary did not take the change, so nothing was rolled back: {text}", FAILED) from error
        except ValidationError as error:
            raise refusal(" ".join(error.messages), REFUSED) from error
        if not options["json"]:
            _say(terminal, done)
        spread = wait_for_all(options["wait"])
        if options["json"]:
            terminal.say_json({"done": [one.as_json() for one in done], "processes": spread_as_json(spread)})
        elif spread is not None:
            terminal.say(str(spread))
        return DONE if spread is None or spread.is_complete else AWAITED


def _roll_back(names: Iterable[str], using: str, *, everything: bool) -> tuple[RolledBack, ...]:
    if everything:
        return (roll_back_all(using),)
    named = rules_named(names, RoutingRule.objects.using(using).all())
    if named.problems:
        raise ValidationError([*named.problems, "Nothing was changed."])
    return roll_back_rules(named.rules, using)


def _say(terminal: Terminal, done: Iterable[RolledBack]) -> None:
    for one in done:
        subject = f"{one.rule}: " if one.rule else ""
        terminal.say(f"{subject}{'was back already; ' if one.had_no_need else ''}{one.change.summary}")
        if one.others:
            terminal.say(f"  through the same gate, and so taken back as well: {', '.join(one.others)}")
