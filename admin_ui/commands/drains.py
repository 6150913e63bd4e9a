"""`manage.py readshift drain|undrain`: a replica out of service for maintenance, and back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import DatabaseError, transaction

from admin_ui.commands.frame import Terminal, operator, refusal
from admin_ui.commands.spread import add_waiting, spread_as_json, wait_for_all
from rollout import operations
from rollout.exposure import Change
from rollout.models import DrainedReplica
from rollout.rollback import LONGEST_WAIT_SECONDS
from rollout.settings import get_settings
from rollout.waiting import limit_waiting
from routers.control import control_alias

DONE = 0
FAILED = 1
REFUSED = 3
AWAITED = 4

_CODES = (
    "Exits with 0 if that is so now, also if it was before; 1 if the primary did not take the change; 3 if there is no "
    "such replica; 4 if --wait ended before every process had said that it acts on it."
)


@dataclass(slots=True)
class ChangeDrain:
    """Drains a replica, or lets it serve again. Whoever may run it on the machine may do so; it asks nothing.

    change: takes the alias, the reason and the database of the rules.
    """

    name: str
    help: str
    change: Callable[[str, str, str], Change]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("alias", help="of the replica, as in DATABASES")
        parser.add_argument("--why", default="", metavar="TEXT", help="the reason, for the record of events")
        add_waiting(parser)
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        alias, using = options["alias"], control_alias()
        try:
            with transaction.atomic(using):
                limit_waiting(using, LONGEST_WAIT_SECONDS)
                change = self.change(alias, options["why"], using)
                warning = _warning(alias, using)
        except DatabaseError as error:
            text = str(error).strip()
            raise refusal(f"The primary did not take the change, so nothing was changed: {text}", FAILED) from error
        except ValidationError as error:
            raise refusal(" ".join(error.messages), REFUSED) from error
        had_no_need = change.before == change.after
        if not options["json"]:
            terminal.say(f"{'was so already; ' if had_no_need else ''}{change.summary}")
            if warning:
                terminal.warn(warning)
        spread = wait_for_all(options["wait"])
        if options["json"]:
            terminal.say_json(
                {
                    "replica": alias,
                    "change": change.summary,
                    "had_no_need": had_no_need,
                    "warning": warning,
                    "processes": spread_as_json(spread),
                }
            )
        elif spread is not None:
            terminal.say(str(spread))
        return DONE if spread is None or spread.is_complete else AWAITED


def _drain(alias: str, why: str, using: str) -> Change:
    return operations.drain(alias, operator(why).who(), why, using)


def _undrain(alias: str, _: str, using: str) -> Change:
    # One that is drained need not be a replica any more, but a name that is neither was mistyped.
    if not DrainedReplica.objects.using(using).select_for_update().filter(alias=alias).exists():
        operations.plan_drain(alias, using)
    return operations.undrain(alias, using)


def _warning(alias: str, using: str) -> str:
    """Say so if no replica of the pool is left that may serve, or return an empty text."""
    replicas = get_settings().replicas
    drained = set(DrainedReplica.objects.using(using).values_list("alias", flat=True))
    if alias not in replicas:
        return ""
    pool = replicas[alias].pool
    if any(one.pool == pool and one.weight and one.alias not in drained for one in replicas.values()):
        return ""
    return f"No replica of the pool “{pool}” serves any more, so all its reads go to the primary."


DRAINS = (
    ChangeDrain("drain", f"Take a replica out of service in every process. It asks nothing. {_CODES}", _drain),
    ChangeDrain("undrain", f"Let a drained replica serve again in every process. {_CODES}", _undrain),
)
