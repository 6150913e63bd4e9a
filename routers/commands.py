"""Management commands as units."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand

from rollout.settings import Refresh, refresh
from routers.agent import agent
from routers.blocks import open_outermost
from routers.current import current_unit, ending, open_unit
from routers.looking import look_at_servers
from routers.unit import Unit, UnitKind

_LONGEST_LOOK_SECONDS = 0.3
"""A second look finds a replica fit that was a moment behind at the first. For one that is down nobody waits longer."""


class RoutedCommand(BaseCommand):
    """Base class for commands whose reads rules may move. Its endpoint is the command's name.

    Code that calls it with `call_command` shares with it what was written.

    Other commands read from the primary: migrations and scripts expect to see what they have just written.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command in a unit. The policy is read first: a command is over before the background reads it."""
        endpoint = type(self).__module__.rpartition(".")[2]
        if refresh() is Refresh.BACKGROUND and agent.try_reload():
            look_at_servers(_LONGEST_LOOK_SECONDS)
        outer = current_unit()
        with (
            open_outermost(endpoint, UnitKind.COMMAND)
            if outer is None
            else _open(Unit(UnitKind.COMMAND, endpoint, outer.trail))
        ):
            return super().execute(*args, **options)


@contextmanager
def _open(unit: Unit) -> Iterator[None]:
    with open_unit(unit), ending(unit):
        yield
