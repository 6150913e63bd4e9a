"""The span of time that somebody names in a terminal."""

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from admin_ui.commands.frame import days, minutes, refusal
from rollout.endpoint_sums import Span

_MINUTE_SECONDS = 60
_DAY_MINUTES = 1_440


def add_length(parser: CommandParser) -> None:
    """Let a subcommand take how far it looks back."""
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--minutes", type=minutes, help="how far back to look (default: 60)")
    chosen.add_argument("--days", type=days, help="the same, in days")


def minutes_of(options: dict[str, Any], default: float, code: int) -> float:
    """Return how many minutes were asked for. Raises `CommandError` with this exit code for less than one."""
    asked: float | None = options["minutes"]
    if asked is None and options["days"] is not None:
        asked = options["days"] * _DAY_MINUTES
    if asked is not None and asked < 1:
        raise refusal(f"{asked:g} minutes are too short: counts are kept by the minute. Ask for 1 or more.", code)
    return default if asked is None else asked


def add_span(parser: CommandParser) -> None:
    """Let a subcommand take a span of time."""
    add_length(parser)
    parser.add_argument("--from", dest="since", metavar="TIME", help="when it begins, such as 2026-03-01T14:00")
    parser.add_argument("--to", dest="until", metavar="TIME", help="when it ends (default: now)")


def span_of(options: dict[str, Any], default_minutes: float, code: int) -> Span:
    """Return the span that was asked for, which ends on a whole minute, as counts do. Raises `CommandError`."""
    now = timezone.now()
    since, until = (None if options[end] is None else _time(options[end], code) for end in ("since", "until"))
    length = timedelta(minutes=minutes_of(options, default_minutes, code))
    has_length = options["minutes"] is not None or options["days"] is not None
    if has_length and since is not None and until is not None:
        raise refusal("--from and --to say how long the time is already. Leave out the length, or one of them.", code)
    if until is None:
        # In the future nothing was counted.
        until = since + length if has_length and since is not None and since < now else now
    until = min(now, until)
    until -= timedelta(seconds=until.timestamp() % _MINUTE_SECONDS)
    try:
        return Span(until - length if since is None else since, until)
    except ValueError as error:
        raise refusal(str(error), code) from None


def _time(text: str, code: int) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise refusal(f"“{text}” is no time. Write one such as 2026-03-01T14:00, or 2026-03-01T14:00+01:00.", code)
    return found if timezone.is_aware(found) else timezone.make_aware(found)
