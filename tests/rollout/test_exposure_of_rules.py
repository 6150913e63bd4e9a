"""The exposure of rules as waffle's tables and ours hold them."""

import pytest
from django.contrib.auth.models import User
from waffle.models import Flag, Sample, Switch

from rollout import exposure
from rollout.loading import load_policy, load_rule
from rollout.models import GateKind, Mode, RoutingRule
from tests.support import route

pytestmark = pytest.mark.django_db


def share() -> str:
    """Return the exposure of the only rule, in the policy and compiled by itself."""
    (rule,) = load_policy("default").rules
    assert rule == load_rule(RoutingRule.objects.get(), "default")
    return str(exposure.of_rule(rule))


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"percent": "2.5"}, "2.5 %"),
        ({"percent": "99.9", "staff": True}, "99.9 % and chosen users"),
        ({"everyone": True}, "100 %"),
        ({"everyone": False, "percent": "10"}, "0 %"),
        ({"languages": "de"}, "0 % and chosen users"),
        ({"superusers": True}, "0 % and chosen users"),
        ({"authenticated": True}, "0 % and chosen users"),
        ({}, "0 %"),
    ],
)
@pytest.mark.parametrize("mode", [Mode.ROUTE, Mode.OBSERVE])
def test_flags(fields: dict[str, object], shown: str, mode: str) -> None:
    Flag.objects.create(**{"name": "gate", "superusers": False, **fields})
    route(mode=mode, gate=(GateKind.FLAG, "gate"))
    assert share() == (shown if mode == Mode.ROUTE else "0 %")


def test_a_flag_for_one_user() -> None:
    Flag.objects.create(name="gate", superusers=False)
    Flag.objects.get().users.add(User.objects.create_user("ada"))
    route(gate=(GateKind.FLAG, "gate"))
    assert share() == "0 % and chosen users"


@pytest.mark.parametrize("active", [True, False])
def test_switches(active: bool) -> None:
    Switch.objects.create(name="gate", active=active)
    route(gate=(GateKind.SWITCH, "gate"))
    assert share() == ("100 %" if active else "0 %")


def test_samples() -> None:
    Sample.objects.create(name="gate", percent="12.5")
    route(gate=(GateKind.SAMPLE, "gate"))
    assert share() == "12.5 %"


@pytest.mark.parametrize("kind", [GateKind.NONE, GateKind.FLAG])
def test_no_gate_is_everybody_and_a_missing_one_nobody(kind: str) -> None:
    route(gate=(kind, "gone" if kind else ""))
    assert share() == ("0 %" if kind else "100 %")
