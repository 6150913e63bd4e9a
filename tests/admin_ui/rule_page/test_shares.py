"""The share of actors over time, from what is now and from the events back."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waffle.models import Flag, Switch

from admin_ui.rule_page.shares import Present, shares
from rollout import exposure, operations
from rollout.loading import load_policy, load_rule
from rollout.models import Event, GateKind, Mode, RoutingRule
from tests.admin_ui.support import flag
from tests.rollout.support import create_flag
from tests.support import route

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on(kill_switch: Switch) -> None:
    """Routing is on before anything happens."""


def found(rule: RoutingRule, since: datetime) -> list[float | None]:
    rule.refresh_from_db()
    present = Present(rule, load_rule(rule, "default").gate, load_policy("default").enabled)
    events = Event.objects.filter(at__gte=since).order_by("-at", "-pk")
    steps = shares(present, events, since)
    assert [at for at, _ in steps] == sorted(at for at, _ in steps)
    return [share for _, share in steps]


def share_now(rule: RoutingRule) -> float:
    rule.refresh_from_db()
    is_on = load_policy("default").enabled
    return float(exposure.of_rule(load_rule(rule, "default")).percent) if is_on else 0.0


def test_each_change_is_a_step() -> None:
    since = timezone.now()
    rule = route("names", mode=Mode.OBSERVE, gate=flag(percent="25"))
    operations.set_mode(rule, Mode.ROUTE)
    operations.set_share("flag", "products", Decimal(50))
    operations.set_share("flag", "products", Decimal(100))
    operations.set_kill_switch(active=False)
    operations.set_kill_switch(active=True)
    operations.set_share("flag", "products", Decimal(0))
    assert found(rule, since) == [None, 0.0, 25.0, 50.0, 100.0, 0.0, 100.0, 0.0]


def test_what_is_older_than_the_window_is_not_needed() -> None:
    rule = route("names", gate=flag(percent="25"))
    since = timezone.now()
    assert found(rule, since) == [25.0]
    operations.set_share("flag", "products", Decimal("2.5"))
    assert found(rule, since) == [25.0, 2.5]


def test_a_gate_that_is_created_or_deleted_lets_nobody_through_before_or_after() -> None:
    rule = route("names", gate=(GateKind.FLAG, "checkout"))
    since = timezone.now()
    create_flag("checkout", percent=5)
    Flag.objects.get().delete()
    assert found(rule, since) == [0.0, 5.0, 0.0]


def test_a_rule_that_went_by_another_gate_has_no_known_share_there_and_all_without_one() -> None:
    rule = route("names", gate=flag(percent="25"))
    create_flag("checkout", percent=5)
    since = timezone.now()
    for kind, name in ((GateKind.NONE, ""), (GateKind.FLAG, "checkout")):
        rule.gate_kind, rule.gate_name = kind, name
        rule.save()
    assert found(rule, since) == [None, 100.0, 5.0]


def test_nothing_is_known_of_a_rule_that_was_deleted_without_an_event() -> None:
    since = timezone.now()
    rule = route("names")
    operations.set_mode(rule, Mode.OBSERVE)
    RoutingRule.objects.filter(pk=rule.pk)._raw_delete("default")
    assert found(route("names"), since) == [None, None, None, 100.0]


def test_a_strict_contract_and_a_switch_and_a_sample() -> None:
    Switch.objects.create(name="gate", active=True)
    rule = route("names", gate=(GateKind.SWITCH, "gate"))
    since = timezone.now()
    operations.set_share("switch", "gate", Decimal(0))
    operations.set_share("switch", "gate", Decimal(100))
    rule.refresh_from_db()
    rule.contract = "strict"
    rule.save()
    assert found(rule, since) == [100.0, 0.0, 100.0, 0.0]


Act = Callable[[RoutingRule], Any]

ACTS: list[Act] = [
    lambda rule: operations.set_mode(rule, Mode.OBSERVE),
    lambda rule: operations.set_mode(rule, Mode.ROUTE),
    lambda _: operations.set_share("flag", "products", Decimal(0)),
    lambda _: operations.set_share("flag", "products", Decimal("0.5")),
    lambda _: operations.set_share("flag", "products", Decimal(75)),
    lambda _: operations.set_share("flag", "products", Decimal(100)),
    lambda _: operations.set_kill_switch(active=False),
    lambda _: operations.set_kill_switch(active=True),
]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15, deadline=None
)
@given(st.lists(st.sampled_from(ACTS), max_size=6))
def test_going_back_over_events_finds_what_the_shares_were(acts: list[Act]) -> None:
    RoutingRule.objects.all().delete()
    Flag.objects.all().delete()
    operations.set_kill_switch(active=True)
    rule = route("names", gate=flag(percent="25"))
    since = timezone.now()
    were = [share_now(rule)]
    for act in acts:
        before = Event.objects.count()
        act(rule)
        if Event.objects.count() > before:
            were.append(share_now(rule))
    assert found(rule, since) == were
