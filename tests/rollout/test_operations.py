"""What an operator can do, what it does to exposure, and what is refused."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.test import override_settings
from waffle.models import Flag, Switch

from rollout import operations
from rollout.exposure import Exposure, of_gate
from rollout.loading import load_gate, read_revision
from rollout.models import GateKind, Mode, RoutingRule
from rollout.policy import KILL_SWITCH
from tests.rollout.support import create_flag
from tests.support import route

pytestmark = pytest.mark.django_db

NOBODY, HALF, EVERYBODY = Exposure(Decimal(0)), Exposure(Decimal(50)), Exposure(Decimal(100))


def flag(**values: Any) -> Flag:
    return create_flag("checkout", **values)


def test_planning_changes_nothing() -> None:
    flag(percent=50)
    rule = route("names", gate=(GateKind.FLAG, "checkout"))
    before = (read_revision("default"), *Flag.objects.values(), *RoutingRule.objects.values(), *Switch.objects.values())
    operations.plan_share(GateKind.FLAG, "checkout", Decimal(100))
    operations.plan_mode(rule, Mode.PIN)
    operations.plan_kill_switch(active=False)
    after = (read_revision("default"), *Flag.objects.values(), *RoutingRule.objects.values(), *Switch.objects.values())
    assert after == before
    assert rule.mode == Mode.ROUTE


@pytest.mark.parametrize(
    ("mode", "new", "before", "after"),
    [
        (Mode.OBSERVE, Mode.ROUTE, NOBODY, HALF),
        (Mode.ROUTE, Mode.OBSERVE, HALF, NOBODY),
        (Mode.ROUTE, Mode.PIN, HALF, NOBODY),
        (Mode.PIN, Mode.OBSERVE, NOBODY, NOBODY),
    ],
)
def test_changing_the_mode_of_a_rule(mode: str, new: str, before: Exposure, after: Exposure) -> None:
    flag(percent=50)
    rule = route("names", mode=mode, gate=(GateKind.FLAG, "checkout"))
    RoutingRule.objects.update(note="Written meanwhile.")
    change = operations.set_mode(rule, new)
    assert (change.before, change.after) == (before, after)
    assert str(rule) in change.summary
    rule.refresh_from_db()
    assert (rule.mode, rule.note) == (new, "Written meanwhile.")


@pytest.mark.parametrize("contract", ["strict", "bounded:5", "any"])
def test_routing_a_strict_rule_raises_nothing_and_any_other_rule_does(contract: str) -> None:
    rule = route("names", mode=Mode.OBSERVE, contract=contract)
    change = operations.plan_mode(rule, Mode.ROUTE)
    assert change.raises_exposure is (contract != "strict")
    assert (str(change.before.contract), str(change.after.contract)) == (contract, contract)


def test_an_unknown_mode_is_refused_with_the_modes_there_are() -> None:
    rule = route("names")
    with pytest.raises(ValidationError, match=r"“fast” is no mode.*pin, observe, route"):
        operations.set_mode(rule, "fast")
    assert rule.mode == Mode.ROUTE


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("existing", [True, False, None], ids=["on", "off", "missing"])
def test_the_kill_switch_is_turned_and_created_when_it_is_missing(existing: bool | None, active: bool) -> None:
    Switch.objects.filter(name=KILL_SWITCH).delete()
    if existing is not None:
        Switch.objects.create(name=KILL_SWITCH, active=existing)
    change = operations.set_kill_switch(active)
    assert Switch.objects.get(name=KILL_SWITCH).active is active
    assert (change.before, change.after) == (EVERYBODY if existing else NOBODY, EVERYBODY if active else NOBODY)
    assert change.raises_exposure is (active and not existing)


def test_a_new_flag_is_open_for_nobody() -> None:
    operations.create_flag("checkout")
    row = Flag.objects.get(name="checkout")
    assert (row.everyone, row.superusers) == (False, False)
    assert of_gate(load_gate(GateKind.FLAG, "checkout", "default")) == NOBODY


@pytest.mark.parametrize("name", ["checkout", "", "x" * 101], ids=["taken", "empty", "too long"])
def test_a_flag_without_a_usable_name_is_not_created(name: str) -> None:
    flag(percent=50)
    with pytest.raises(ValidationError) as caught:
        operations.create_flag(name)
    assert set(caught.value.message_dict) == {"name"}
    assert Flag.objects.get().percent == 50


def test_every_operation_is_announced() -> None:
    flag()
    rule = route("names")
    revisions = [read_revision("default")]
    for operate in (
        lambda: operations.set_share(GateKind.FLAG, "checkout", Decimal(50)),
        lambda: operations.set_mode(rule, Mode.PIN),
        lambda: operations.set_kill_switch(active=False),
        lambda: operations.create_flag("other"),
    ):
        operate()
        revisions.append(read_revision("default"))
    assert revisions == sorted(set(revisions))


@pytest.fixture
def main_alias(transactional_db: None) -> Iterator[str]:
    """An alias with a connection of its own to the primary, which the project writes to instead of `default`."""
    connections.settings["main"] = connections["default"].settings_dict
    # It calls itself `default` for Django's guard of connections, which knows the aliases of the suite only.
    connections["main"] = connections["default"].copy()
    with override_settings(READSHIFT={"CLUSTERS": {"main": {"REPLICAS": ["replica1"]}}}):
        yield "main"
    connections["main"].close()
    del connections["main"]
    del connections.settings["main"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_operations_work_on_the_primary_whatever_its_alias(main_alias: str) -> None:
    flag(percent=5)
    with transaction.atomic("default"):
        connections["default"].set_rollback(True)
        operations.set_share(GateKind.FLAG, "checkout", Decimal(50))
        operations.set_kill_switch(active=False)
    assert Flag.objects.using(main_alias).get().percent == 50
    assert not Switch.objects.using(main_alias).get(name=KILL_SWITCH).active
