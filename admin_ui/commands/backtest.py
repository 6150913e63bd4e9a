"""`manage.py readshift backtest`: what guardrails would have done over what was recorded."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.utils import timezone

from admin_ui.commands.frame import Terminal, days, refusal
from admin_ui.commands.rules import named_rule
from rollout.guardrails import Guardrail, Metric
from rollout.judging import backtest, judge
from rollout.limits import limits_of, parse_limits
from rollout.measuring import recorded
from rollout.standings import Standing, update
from rollout.windows import Window
from routers.control import control_alias

KEPT = 0
TAKEN_BACK = 1
NO_DATA = 2
UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """What one guardrail says after all windows, and the number of the first after which it failed, from 1; or None."""

    metric: str
    finding: str
    reason: str
    failed_at: int | None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "metric": self.metric,
            "finding": self.finding,
            "reason": self.reason,
            "failed_at_window": self.failed_at,
        }


class Backtest:
    """Lets guardrails judge the recorded history of a rule."""

    name = "backtest"
    help = (
        "Let guardrails judge what was recorded of a rule, as if a plan had run. Exits with 0 if none would have taken "
        "it back, 1 if one would, 2 if nothing was recorded, 3 if there is no such rule or the limits mean nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rule", help="such as endpoint:shop:product-list; the target alone, if one rule has it")
        parser.add_argument("--days", type=days, default=1.0, help="how far back to look (default: %(default)s)")
        parser.add_argument(
            "--limits", metavar="JSON", help='such as [{"metric": "lag", "hard": 3}]; without it, the usual ones of all'
        )
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        guardrails, using, until = _guardrails(options["limits"]), control_alias(), timezone.now()
        rule = named_rule(options["rule"], UNKNOWN)
        since = until - timedelta(days=options["days"])
        windows = tuple(recorded(rule.target_kind, rule.target, since, until, using))
        trials = tuple(_trials(guardrails, windows)) if windows else ()
        if options["json"]:
            terminal.say_json(
                {"rule": str(rule), "windows": len(windows), "guardrails": [trial.as_json() for trial in trials]}
            )
        else:
            terminal.say(f"{rule}: {len(windows):,} windows were recorded in {options['days']:g} days.")
            terminal.say_table((f"  {trial.finding}", _words(trial, len(windows))) for trial in trials)
        if not windows:
            return NO_DATA
        return TAKEN_BACK if any(trial.failed_at is not None for trial in trials) else KEPT


def _guardrails(limits: str | None) -> tuple[Guardrail, ...]:
    try:
        return parse_limits(limits_of(tuple(Metric)) if limits is None else json.loads(limits))
    except ValidationError as error:
        raise refusal(" ".join(error.messages), UNKNOWN) from None
    except ValueError as error:
        raise refusal(f"The limits are no JSON: {error}.", UNKNOWN) from None


def _trials(guardrails: Sequence[Guardrail], windows: Sequence[Window]) -> Iterator[Trial]:
    for guardrail in guardrails:
        failed = backtest(guardrail, windows)
        failed_at = None if failed is None else next(n for n, window in enumerate(windows, 1) if window is failed)
        standing = Standing()
        for window in windows[:failed_at]:
            standing = update(guardrail, standing, window)
        verdict = judge(guardrail, standing)
        yield Trial(guardrail.metric.value, verdict.finding.value, verdict.reason, failed_at)


def _words(trial: Trial, windows: int) -> str:
    at = "" if trial.failed_at is None else f" (after window {trial.failed_at:,} of {windows:,})"
    return f"{trial.reason}{at}"
