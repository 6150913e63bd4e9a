"""How a subcommand waits until every process acts on what it has changed."""

from typing import Any

from django.core.management.base import CommandParser

from admin_ui.commands.frame import seconds
from rollout.loading import read_revision
from rollout.propagation import Propagation, wait_for_processes
from routers.control import control_alias


def add_waiting(parser: CommandParser) -> None:
    """Declare the option."""
    parser.add_argument(
        "--wait", type=seconds, metavar="SECONDS", help="until every process says that it acts on it, but no longer"
    )


def wait_for_all(longest: float | None) -> Propagation | None:
    """Wait for all processes, and return how far the change has come; None if nobody asked to wait."""
    if longest is None:
        return None
    using = control_alias()
    return wait_for_processes(read_revision(using), longest, using)


def spread_as_json(spread: Propagation | None) -> dict[str, Any] | None:
    """Return it for programs."""
    return None if spread is None else spread.as_json()
