"""The share of actors that an operator lets through a gate, what it does to exposure, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import transaction
from waffle.models import Flag, Sample, Switch

from rollout import operations
from rollout.exposure import Exposure, of_gate
from rollout.loading import load_gate
from rollout.models import GateKind
from tests.rollout.support import TIMEOUT_SECONDS, Worker, create_flag, wait_for_lock

pytestmark = pytest.mark.django_db

NOBODY, HALF = Exposure(Decimal(0)), Exposure(Decimal(50))


def flag(**values: Any) -> Flag:
    return create_flag("checkout", **values)


@pytest.mark.parametrize(
    ("percent", "everyone", "stored"),
    [("0", False, "7.0"), ("0.1", None, "0.1"), ("50", None, "50.0"), ("99.9", None, "99.9"), ("100", True, "7.0")],
)
def test_the_share_of_a_flag_is_its_percentage_and_at_the_ends_everyone(
    percent: str, everyone: bool | None, stored: str
) -> None:
    row = flag(everyone=not everyone, percent=7, note="Ask Kim.")
    change = operations.set_share(GateKind.FLAG, "checkout", Decimal(percent))
    row.refresh_from_db()
    assert (row.everyone, row.percent, row.note) == (everyone, Decimal(stored), "Ask Kim.")
    assert change.after == Exposure(Decimal(percent))


def test_a_flag_rolled_back_to_0_is_closed_for_chosen_users_too() -> None:
    flag(percent=50, staff=True).users.add(User.objects.create(username="kim"))
    change = operations.set_share(GateKind.FLAG, "checkout", Decimal(0))
    assert (change.before, change.after) == (Exposure(Decimal(50), targeted=True), NOBODY)
    assert not change.raises_exposure


@pytest.mark.parametrize("percent", ["0", "0.1", "50", "100"])
def test_the_share_of_a_sample_is_its_percentage(percent: str) -> None:
    row = Sample.objects.create(name="some", percent=7)
    change = operations.set_share(GateKind.SAMPLE, "some", Decimal(percent))
    row.refresh_from_db()
    assert row.percent == Decimal(percent)
    assert (change.before, change.after) == (Exposure(Decimal(7)), Exposure(Decimal(percent)))


@pytest.mark.parametrize(("percent", "active"), [(0, False), (100, True)])
def test_the_share_of_a_switch_is_all_or_nothing(percent: int, active: bool) -> None:
    row = Switch.objects.create(name="on", active=not active)
    change = operations.set_share(GateKind.SWITCH, "on", Decimal(percent))
    row.refresh_from_db()
    assert row.active is active
    assert change.raises_exposure is active


def test_a_switch_refuses_a_percentage() -> None:
    row = Switch.objects.create(name="on", active=True)
    with pytest.raises(ValidationError, match="switch “on” is on or off"):
        operations.set_share(GateKind.SWITCH, "on", Decimal(50))
    row.refresh_from_db()
    assert row.active


@pytest.mark.parametrize("kind", [GateKind.FLAG, GateKind.SAMPLE, GateKind.SWITCH])
@pytest.mark.parametrize("percent", ["-1", "100.1", "150", "99.95", "NaN"])
def test_a_share_that_waffle_cannot_hold_is_refused(kind: str, percent: str) -> None:
    flag(percent=7)
    Sample.objects.create(name="checkout", percent=7)
    Switch.objects.create(name="checkout")
    with pytest.raises(ValidationError, match=percent):
        operations.set_share(kind, "checkout", Decimal(percent))
    assert (Flag.objects.get().percent, Sample.objects.get().percent) == (7, 7)


@pytest.mark.parametrize("kind", [GateKind.FLAG, GateKind.SWITCH, GateKind.SAMPLE])
def test_a_missing_gate_has_no_share_to_change(kind: str) -> None:
    with pytest.raises(ValidationError, match=f"no {kind} named “gone”"):
        operations.set_share(kind, "gone", Decimal(0))
    assert load_gate(kind, "gone", "default") is None


def test_no_gate_has_no_share_to_change() -> None:
    with pytest.raises(ValidationError, match="no gate"):
        operations.set_share(GateKind.NONE, "", Decimal(0))
    assert load_gate(GateKind.NONE, "", "default") is None


@pytest.mark.parametrize(
    ("before", "percent", "raises"),
    [
        pytest.param({"percent": 5}, 50, True, id="more"),
        pytest.param({"percent": 50}, 50, False, id="the same"),
        pytest.param({"percent": 50}, 5, False, id="less"),
        pytest.param({"everyone": True}, 50, False, id="less than everyone"),
        pytest.param({"everyone": False, "percent": 50}, 5, True, id="anything after no one"),
        pytest.param({"everyone": False, "percent": 50}, 0, False, id="no one again"),
        pytest.param({"everyone": True, "staff": True}, 50, False, id="chosen users were in everyone"),
        pytest.param({"percent": -5}, 5, True, id="more than a percentage that opens nothing"),
    ],
)
def test_a_change_says_whether_it_raises_exposure(before: dict[str, Any], percent: int, raises: bool) -> None:
    flag(**before)
    plan = operations.plan_share(GateKind.FLAG, "checkout", Decimal(percent))
    assert plan.raises_exposure is raises
    assert operations.set_share(GateKind.FLAG, "checkout", Decimal(percent)) == plan
    assert f"to {percent} %" in plan.summary


def test_a_sample_above_100_percent_opens_nothing_so_any_share_raises_exposure() -> None:
    Sample.objects.create(name="some", percent=150)
    assert of_gate(load_gate(GateKind.SAMPLE, "some", "default")) == NOBODY
    assert operations.plan_share(GateKind.SAMPLE, "some", Decimal(5)).raises_exposure


def test_users_or_groups_of_a_flag_count_as_chosen() -> None:
    row = flag(percent=50)
    assert of_gate(load_gate(GateKind.FLAG, "checkout", "default")) == HALF
    row.groups.add(Group.objects.create(name="testers"))
    assert of_gate(load_gate(GateKind.FLAG, "checkout", "default")) == Exposure(Decimal(50), targeted=True)


def test_the_check_of_a_custom_flag_model_counts_as_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    flag(percent=50)
    monkeypatch.setattr(Flag, "is_active_for_user", lambda *_: True)
    assert of_gate(load_gate(GateKind.FLAG, "checkout", "default")) == Exposure(Decimal(50), targeted=True)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_change_tells_what_it_replaced_though_another_operator_was_faster(worker: Worker) -> None:
    flag(percent=5)
    with transaction.atomic():
        operations.set_share(GateKind.FLAG, "checkout", Decimal(80))
        slower = worker.start(lambda: operations.set_share(GateKind.FLAG, "checkout", Decimal(50)))
        wait_for_lock()
    change = slower.result(TIMEOUT_SECONDS)
    assert (change.before, change.after) == (Exposure(Decimal(80)), HALF)
    assert not change.raises_exposure
