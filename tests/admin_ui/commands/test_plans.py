"""`manage.py readshift plan|plans|pause|resume|advance`."""

import getpass
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from waffle.models import Flag

from rollout.models import Door, Event, GateKind, Mode, RolloutPlan
from rollout.plan_states import State
from rollout.watching import watch
from tests.rollout.support import create_flag
from tests.support import route

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rule() -> None:
    create_flag("checkout", everyone=False)
    route("names", mode=Mode.OBSERVE, gate=(GateKind.FLAG, "checkout"))


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("readshift", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[str, int]:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return str(error.value), error.value.returncode


def test_a_rollout_from_the_command_line() -> None:
    assert run("plan", "names", "--template", "fast", "--why", "Load.") == "Started with stage 1 of 3, 10 %.\n"
    assert Flag.objects.get().percent == 10
    assert run("pause", "names") == "Paused in stage 1 of 3, 10 %.\n"
    assert run("resume", "names") == "Resumed in stage 1 of 3, 10 %.\n"
    assert run("advance", "names", "--why", "Enough.") == "Advanced to stage 2 of 3, 50 %.\n"
    assert Flag.objects.get().percent == 50
    event = Event.objects.filter(subject_kind="plan").latest("pk")
    assert (event.door, event.why, event.who) == (Door.COMMAND, "Enough.", getpass.getuser())


def test_plans_tells_how_they_stand() -> None:
    assert run("plans") == "No plan is under way.\n"
    run("plan", "names", "--template", "fast")
    watch("default")
    text = run("plans")
    assert "flag        checkout at 10 %" in text
    assert "stages      [10 %] 50 % 100 %" in text
    assert "next        error_rate: no data to compare" in text
    RolloutPlan.objects.update(state=State.ROLLED_BACK)
    assert run("plans") == "No plan is under way.\n"
    assert "Rolled back" in run("plans", "--all")


def test_json_says_the_same() -> None:
    answer: dict[str, Any] = json.loads(run("plan", "names", "--template", "fast", "--json"))
    assert (answer["changed"], answer["state"], answer["percent"]) == (True, "running", 10.0)
    (listed,) = json.loads(run("plans", "--json"))["plans"]
    assert listed["plan"] == answer["plan"]


def test_what_cannot_be_done_changes_nothing_and_has_a_code_of_its_own() -> None:
    text, code = refused("plan", "nomes")
    assert code == 3
    assert "Did you mean endpoint:names?" in text
    assert refused("pause", "names") == (
        "No plan is under way for endpoint:names. Plans are under way for: none.",
        3,
    )
    run("plan", "names")
    text, code = refused("plan", "names")
    assert code == 2
    assert "two plans would undo each other's steps" in text
    assert RolloutPlan.objects.count() == 1


def test_a_target_that_two_rules_have_has_to_be_told_apart() -> None:
    create_flag("other", everyone=False)
    route("names", kind="model", mode=Mode.OBSERVE, gate=(GateKind.FLAG, "other"))
    text, code = refused("plan", "names")
    assert code == 3
    assert "endpoint:names or model:names" in text
    run("plan", "endpoint:names", "--template", "fast")
    assert RolloutPlan.objects.get().rule.target_kind == "endpoint"
