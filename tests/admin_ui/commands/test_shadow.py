"""`manage.py readshift shadow`."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from rollout.models import Mode
from rollout.outcomes import Outcome, ShadowCause
from tests.support import route
from tests.tasks.reporting.reported import store

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, int]:
    """Return what the command wrote, and its exit code."""
    out, code = StringIO(), 0
    try:
        call_command("readshift", "shadow", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return out.getvalue().replace("\N{NARROW NO-BREAK SPACE}", " "), code


def test_a_rule_is_reported_with_its_verdict_causes_and_statements() -> None:
    route(mode=Mode.OBSERVE)
    store(1_000, fingerprint="f" * 16)
    store(20, outcome=Outcome.CAUGHT_UP, staleness_ms=40.0)
    text, code = run()
    assert code == 0
    assert "endpoint shop:product-list: safe to route" in text
    assert "compared   1 020" in text
    assert "20 caught_up" in text
    assert "median 40 ms" in text
    assert f"statement {'f' * 16}: safe to route" in text


def test_the_gravest_verdict_is_the_exit_code() -> None:
    route(mode=Mode.OBSERVE)
    route("names", mode=Mode.OBSERVE)
    assert run()[1] == 2
    (read,) = store(1, outcome=Outcome.DIVERGENT, cause=ShadowCause.MISSING_ROW)
    text, code = run()
    assert code == 1
    assert f"manage.py readshift replay {read.pk}" in text
    assert run("names")[1] == 2


def test_one_json_object_says_the_same() -> None:
    route(mode=Mode.OBSERVE)
    store(3)
    text, _ = run("--json")
    content: dict[str, Any] = json.loads(text)
    (rule,) = content["rules"]
    assert (rule["target"], rule["findings"]["counts"]["equal"]) == ("shop:product-list", 3)
    assert rule["verdict"]["judgement"] == "wait"


def test_a_target_without_a_rule_is_refused_with_those_that_there_are() -> None:
    route(mode=Mode.OBSERVE)
    with pytest.raises(CommandError, match="The targets are shop:product-list") as caught:
        run("shop:products")
    assert caught.value.returncode == 3
