"""`manage.py readshift`: what the dashboard shows and does, for terminals and scripts."""

import sys
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser

from admin_ui.commands.backtest import Backtest
from admin_ui.commands.doctor import Doctor
from admin_ui.commands.drains import DRAINS
from admin_ui.commands.explain import Explain
from admin_ui.commands.frame import Subcommand, Terminal, operator
from admin_ui.commands.plans import CHANGES, ListPlans, StartPlan
from admin_ui.commands.replay import Replay
from admin_ui.commands.rollback import Rollback
from admin_ui.commands.shadow import Shadow
from rollout.acting import acting
from routers.own_work import own_work
from tasks.shadow import compare_again


class Command(BaseCommand):
    help = "Look at what Readshift does and found. Each subcommand has a --help of its own."
    subcommands: ClassVar[tuple[Subcommand, ...]] = (
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
    )
    # Reads must come back to the primary whatever is wrong with the rest of the project, its URLs and views included.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parsers = parser.add_subparsers(dest="subcommand", metavar="subcommand", required=True)
        for subcommand in self.subcommands:
            own = parsers.add_parser(subcommand.name, help=subcommand.help, description=subcommand.help)
            subcommand.add_arguments(own)

    def handle(self, *_: Any, subcommand: str, **options: Any) -> None:
        chosen = next(one for one in self.subcommands if one.name == subcommand)
        terminal = Terminal(say=self.stdout.write, warn=self.stderr.write)
        with own_work(), acting(operator(options.get("why", ""))):
            code = chosen.run(terminal, options)
        if code:
            sys.exit(code)
