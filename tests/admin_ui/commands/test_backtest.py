"""`manage.py readshift backtest`."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from rollout.models import ArmCount, Side
from tests.support import route

pytestmark = pytest.mark.django_db


def record(failed: int, minutes_ago: int) -> None:
    """Record 10,000 units of either arm, of which the primary's arm failed 10 times."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    for side, count in ((Side.REPLICA, failed), (Side.PRIMARY, 10)):
        ArmCount.objects.create(
            starts_at=at, span_seconds=10, target_kind="endpoint", target="names", side=side, revision=1,
            units=10_000, failed=count, lag_seconds=0.5,
        )  # fmt: skip


def run(*arguments: str) -> tuple[str, int]:
    out, code = StringIO(), 0
    try:
        call_command("readshift", "backtest", "names", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return out.getvalue(), code


def test_it_tells_which_guardrail_would_have_failed_and_when() -> None:
    route("names")
    for minutes in (9, 8, 7):
        record(10, minutes)
    record(900, 6)
    text, code = run()
    assert code == 1
    assert "endpoint names: 4 windows were recorded in 1 days." in text
    assert "fail  error_rate: " in text
    assert "(after window 4 of 4)" in text
    content: dict[str, Any] = json.loads(run("--json")[0])
    failed = [each["metric"] for each in content["guardrails"] if each["failed_at_window"] == 4]
    assert failed == ["error_rate"]


def test_other_limits_say_something_else() -> None:
    route("names")
    record(10, 9)
    assert run()[1] == 0
    assert run("--limits", '[{"metric": "lag", "hard": 0.1}]')[1] == 1


def test_without_history_it_says_so() -> None:
    route("names")
    record(10, 3000)
    assert run()[1] == 2
    assert run("--days", "7")[1] == 0


@pytest.mark.parametrize(
    ("limits", "words"), [("{", "no JSON"), ('[{"metric": "mood"}]', "There is no metric 'mood'"), ("[]", "Name one")]
)
def test_limits_that_mean_nothing_are_refused(limits: str, words: str) -> None:
    route("names")
    with pytest.raises(CommandError, match=words) as error:
        run("--limits", limits)
    assert error.value.returncode == 3


def test_a_rule_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no rule “names”") as error:
        run()
    assert error.value.returncode == 3
