"""`manage.py readshift`: what the dashboard shows and does, for terminals and scripts."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, ProgrammingError

from admin_ui.commands.advise import Advise
from admin_ui.commands.backtest import Backtest
from admin_ui.commands.baseline import BaselineCommand
from admin_ui.commands.doctor import Doctor
from admin_ui.commands.drains import DRAINS
from admin_ui.commands.explain import Explain
from admin_ui.commands.frame import (
    ENDINGS,
    NOT_MIGRATED,
    UNREACHABLE,
    Subcommand,
    Terminal,
    operator,
    refusal,
    visible,
)
from admin_ui.commands.plans import CHANGES, ListPlans, StartPlan
from admin_ui.commands.replay import Replay
from admin_ui.commands.rollback import Rollback
from admin_ui.commands.shadow import Shadow
from admin_ui.commands.status import Status
from rollout.acting import acting
from rollout.changes import UNDEFINED_TABLE
from routers.control import control_alias
from routers.own_work import own_work
from tasks.shadow import compare_again


class Command(BaseCommand):
    help = "Look at what Readshift does and found. Each subcommand has a --help of its own."
    subcommands: ClassVar[tuple[Subcommand, ...]] = (
        Status(),
        Shadow(),
        Replay(compare_again),
        Rollback(),
        *DRAINS,
        Doctor(),
        ListPlans(),
        StartPlan(),
        *CHANGES,
        Backtest(),
        Explain(),
        Advise(),
        BaselineCommand(),
    )
    # Reads must come back to the primary whatever is wrong with the rest of the project, its URLs and views included.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parsers = parser.add_subparsers(dest="subcommand", metavar="subcommand", required=True)
        for subcommand in self.subcommands:
            own = parsers.add_parser(subcommand.name, help=subcommand.help, description=subcommand.help, epilog=ENDINGS)
            subcommand.add_arguments(own)

    def handle(self, *_: Any, subcommand: str, **options: Any) -> None:
        chosen = next(one for one in self.subcommands if one.name == subcommand)
        terminal = Terminal(
            say=lambda line: self.stdout.write(visible(line)),
            warn=lambda line: self.stderr.write(visible(line)),
            width=shutil.get_terminal_size().columns if self.stdout.isatty() else None,
        )
        with own_work(), acting(operator(options.get("why", ""))), _said_in_words():
            code = chosen.run(terminal, options)
        if code:
            sys.exit(code)


@contextmanager
def _said_in_words() -> Iterator[None]:
    """Let a database that is away, or not set up, end the command with a message and an exit code of its own."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        reason = visible(" ".join(str(error).split()))
        message = f"The database “{control_alias()}”, which holds the rules, did not do what was asked: {reason}"
        raise refusal(message, UNREACHABLE) from error
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", None) != UNDEFINED_TABLE:
            raise
        alias = control_alias()
        message = (
            f"Readshift's tables do not exist in the database “{alias}”. Create them: python manage.py migrate "
            f"--database {alias}"
        )
        raise refusal(message, NOT_MIGRATED) from error
