"""What a subcommand of `manage.py readshift` is, and how it speaks."""

import getpass
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.management.base import CommandError, CommandParser

from rollout.acting import Acting
from rollout.models import Door


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a subcommand writes a line: say to standard output, warn to standard error."""

    say: Callable[[str], object]
    warn: Callable[[str], object]

    def say_json(self, content: dict[str, Any]) -> None:
        """Write one object on one line. What JSON has no form for is written as text."""
        self.say(json.dumps(content, default=str, ensure_ascii=False))

    def say_table(self, rows: Iterable[tuple[str, str]]) -> None:
        """Write names and values in two columns, leaving out what has no value."""
        shown = [(name, value) for name, value in rows if value]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.say(f"{name:<{width}}  {value}")


class Subcommand(Protocol):
    """One subcommand, as `manage.py readshift NAME` runs it."""

    name: str
    help: str

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what it takes."""

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        """Do it and return the exit code. Raises `CommandError`, with a code of its own, if it cannot be done."""


def operator(why: str) -> Acting:
    """Return on whose behalf a subcommand acts: whoever runs this process. One in a container need not have a name."""
    return Acting(Door.COMMAND, _user, why)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def refusal(message: str, code: int) -> CommandError:
    """Return the error that ends the command with a message and an exit code."""
    return CommandError(message, returncode=code)
