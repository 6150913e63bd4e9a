"""`manage.py readshift replay`: what was found about one shadow read, and whether it is still so."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from admin_ui.commands.frame import Terminal, refusal
from admin_ui.commands.shadow_forms import (
    Result,
    read_as_json,
    read_rows,
    result_as_json,
    result_rows,
    rules_of,
    statement_as_json,
    statement_rows,
)
from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import Outcome
from rollout.sealing import SealError
from rollout.settings import get_settings
from routers.captured import CapturedStatement, open_statement
from routers.control import control_alias

AGREES = 0
UNDECIDED = 2
UNAVAILABLE = 3
# Not 1, with which Python ends a program that crashed: a script must not take that for two servers that differ.
DIVERGES = 4

WARNING = "What follows holds values as users sent them. Do not paste it where others can read it."


class Replay:
    """Shows a stored comparison and makes it again, with the function that it is given."""

    name = "replay"
    help = (
        "Show what was found about one shadow read, and compare it again now. Exits with 0 if the servers agree, 2 if "
        "nothing can be said, 3 if there is no such read or its statement is not kept any more, 4 if they diverge."
    )

    def __init__(self, compare_again: Callable[[ShadowRead], Result]) -> None:
        self._compare_again = compare_again

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, help="the number of the shadow read, as reports name it")
        parser.add_argument("--json", action="store_true", help="write one JSON object")
        parser.add_argument("--reveal", action="store_true", help="also write the SQL and its parameters in full")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        using = control_alias()
        read = ShadowRead.objects.using(using).filter(pk=options["id"]).first()
        if read is None:
            raise refusal(_no_such_read(options["id"], using), UNAVAILABLE)
        rules = rules_of(read, using)
        statement = _open(read) if options["reveal"] and read.sealed is not None else None
        if statement is not None:
            terminal.warn(WARNING)
        result = None if read.sealed is None else self._compare_again(read)
        if options["json"]:
            content = read_as_json(read, rules)
            content["replay"] = None if result is None else result_as_json(result)
            if statement is not None:
                content["revealed"] = statement_as_json(statement)
            terminal.say_json(content)
        else:
            rows = read_rows(read, rules) + (result_rows(read) if read.state == ShadowState.DONE else [])
            terminal.say_table([*rows, *(statement_rows(statement) if statement is not None else [])])
            if result is not None:
                terminal.say("\nCompared again just now:")
                terminal.say_table(result_rows(result))
        if result is None:
            raise refusal(_expired(read, timezone.now()), UNAVAILABLE)
        return _exit_code(result)


def _exit_code(result: Result) -> int:
    if result.outcome in {Outcome.EQUAL, Outcome.CAUGHT_UP}:
        return AGREES
    return DIVERGES if result.outcome == Outcome.DIVERGENT else UNDECIDED


def _open(read: ShadowRead) -> CapturedStatement:
    try:
        return open_statement(bytes(read.sealed or b""))
    except SealError as error:
        raise refusal(
            f"The statement of shadow read {read.pk} cannot be opened: {error} If SECRET_KEY was changed, put the old "
            f"one into SECRET_KEY_FALLBACKS.",
            UNAVAILABLE,
        ) from error


def _no_such_read(pk: int, using: str) -> str:
    settings = get_settings()
    return (
        f"There is no shadow read {pk} in the database “{using}”. Reports name those that there are; they are kept for "
        f'READSHIFT["RETENTION_DAYS"] = {settings.retention_days:g} days, the newest READSHIFT["SHADOW_REPORTS"] = '
        f"{settings.shadow_reports} of them."
    )


def _expired(read: ShadowRead, now: datetime) -> str:
    subject = f"Shadow read {read.pk} cannot be compared again, because its statement is not kept any more"
    days = get_settings().shadow_values_days
    expiry = (read.compared_at or read.captured_at) + timedelta(days=days)
    if read.outcome in {Outcome.EQUAL, Outcome.CAUGHT_UP} or expiry > now:
        return f"{subject}: it goes as soon as the servers agree, or the comparison is given up."
    return (
        f'{subject}: it expired at {expiry:%Y-%m-%d %H:%M} UTC, by READSHIFT["SHADOW_VALUES_DAYS"] = {days:g}. Raise '
        f"that to keep the statements of later reads for longer."
    )
