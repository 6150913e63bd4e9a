"""What a subcommand of `manage.py readshift` is, and how it speaks."""

import getpass
import json
import math
import os
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.management.base import CommandError, CommandParser

from admin_ui.commands.tables import columns, named_values
from rollout.acting import Acting
from rollout.models import Door

USAGE = 2
UNREACHABLE = 5
NOT_MIGRATED = 6

ENDINGS = (
    f"Every subcommand exits with {UNREACHABLE} if the primary that holds the rules gives no answer, unless it says "
    f"above what happens then, with {NOT_MIGRATED} if Readshift's tables do not exist there, and with {USAGE} and a "
    f"line on its use if an argument means nothing."
)
"""How all of them may end, which the help of each says."""

_LONGEST_DAYS = 36_500.0
_DAY_MINUTES = 1_440
_GREATEST_SHARE = 1_000.0

# Characters that move a terminal's cursor, change its colours or turn the direction of its text.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a subcommand writes a line: say to standard output, warn to standard error.

    width: how many characters fit on a line, or None where lines may be of any length, as in a file or a pipe.
    """

    say: Callable[[str], object]
    warn: Callable[[str], object]
    width: int | None = None

    def say_json(self, content: dict[str, Any]) -> None:
        """Write one object on one line. What JSON has no form for is written as text."""
        self.say(json.dumps(content, default=str, ensure_ascii=False))

    def say_table(self, rows: Iterable[tuple[str, str]]) -> None:
        """Write names and values in two columns, leaving out what has no value."""
        for line in named_values(rows, self.width):
            self.say(line)

    def say_columns(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write a list with a heading for each column; nothing at all for an empty one."""
        for line in columns(heads, rows, self.width):
            self.say(line)


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


def visible(text: str) -> str:
    """Return text in which characters that steer a terminal are written out, as JSON writes them.

    Names and reasons come from whoever could make a change.
    """
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def days(text: str) -> float:
    """Read how many days to look back, as a type of an argument."""
    return _number(text, _LONGEST_DAYS, "days")


def minutes(text: str) -> float:
    """Read how many minutes to look back, as a type of an argument."""
    return _number(text, _LONGEST_DAYS * _DAY_MINUTES, "minutes")


def share(text: str) -> float:
    """Read a share, of which 1 is the whole, as a type of an argument."""
    return _number(text, _GREATEST_SHARE, "shares")


def seconds(text: str) -> float:
    """Read how many seconds to wait, as a type of an argument."""
    return _number(text, math.inf, "seconds")


def _number(text: str, most: float, unit: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= most or math.isinf(number):
        limit = "" if math.isinf(most) else f" of at most {most:,.0f}"
        raise ArgumentTypeError(f"{text!r} is no number of {unit}. Write a number{limit} that is not negative.")
    return number
