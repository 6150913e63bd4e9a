"""What counts as somebody else's change of a plan's flag or rule, and how it is told."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from rollout.bucketing import threshold
from rollout.foreign import ForeignChange, notice_foreign_change, targets_of
from rollout.gates import FlagGate, SwitchGate
from rollout.models import GateKind, Mode, RolloutPlan, RoutingRule

LEFT = FlagGate("checkout", threshold=threshold(Decimal(5)), staff=True, user_ids=frozenset({2, 1}))


def plan(percent: Decimal = Decimal(5), **of_rule: Any) -> RolloutPlan:
    rule = {"target": "names", "mode": Mode.ROUTE, "gate_kind": GateKind.FLAG, "gate_name": "checkout", **of_rule}
    return RolloutPlan(
        rule=RoutingRule(**rule), gate_name="checkout", expected_percent=percent, expected_targets=targets_of(LEFT)
    )


def noticed(gate: Any, **of_rule: Any) -> ForeignChange:
    found = notice_foreign_change(plan(**of_rule), gate)
    assert found is not None
    return found


def test_what_is_as_the_plan_left_it_is_no_change() -> None:
    assert notice_foreign_change(plan(), LEFT) is None
    assert notice_foreign_change(plan(percent=Decimal(100)), replace(LEFT, everyone=True)) is None


def test_whom_a_flag_is_open_for_besides_everyone_does_not_count() -> None:
    assert notice_foreign_change(plan(percent=Decimal(100)), replace(LEFT, everyone=True, staff=False)) is None


@pytest.mark.parametrize(
    ("gate", "found"),
    [
        (replace(LEFT, threshold=threshold(Decimal(7))), "7 % and chosen users"),
        (replace(LEFT, threshold=0), "0 % and chosen users"),
        (replace(LEFT, everyone=True), "100 %"),
    ],
)
def test_another_percentage_is_told_with_the_one_expected(gate: FlagGate, found: str) -> None:
    change = noticed(gate)
    assert not change.takes_back
    assert f"it is at {found}, and the plan had set it to 5 %" in change.reason


@pytest.mark.parametrize("gate", [replace(LEFT, everyone=False), FlagGate("checkout"), FlagGate("checkout", False, 5)])
def test_a_flag_that_lets_nobody_through_was_taken_back(gate: FlagGate) -> None:
    change = noticed(gate)
    assert change.takes_back
    assert "“checkout” lets nobody through, and the plan had set it to 5 %" in change.reason


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"superusers": True}, "superusers: yes instead of no"),
        ({"staff": False}, "staff: no instead of yes"),
        ({"authenticated": True}, "authenticated: yes instead of no"),
        ({"languages": frozenset({"de", "en"})}, "languages: de, en instead of none"),
        ({"user_ids": frozenset({1})}, "users: 1 instead of 1, 2"),
        ({"group_ids": frozenset({7})}, "groups: 7 instead of none"),
    ],
)
def test_other_targets_are_told(changes: dict[str, Any], told: str) -> None:
    change = noticed(replace(LEFT, **changes))
    assert not change.takes_back
    assert told in change.reason


@pytest.mark.parametrize("gate", [None, SwitchGate("checkout", active=True)])
def test_a_flag_that_is_gone_is_told(gate: Any) -> None:
    change = noticed(gate)
    assert not change.takes_back
    assert "“checkout” is gone. Create it again, at 5 %" in change.reason


@pytest.mark.parametrize(
    ("of_rule", "told"),
    [
        ({"mode": Mode.PIN}, "is set to pin, and the plan expects route"),
        ({"gate_name": "other"}, "has the flag “other” now, and the plan moves the flag “checkout”"),
        ({"gate_kind": GateKind.SWITCH}, "has the switch “checkout” now"),
        ({"gate_kind": "", "gate_name": ""}, "has no gate now"),
    ],
)
@pytest.mark.parametrize("gate", [LEFT, replace(LEFT, threshold=threshold(Decimal(7)))])
def test_a_rule_that_does_not_route_by_the_flag_any_more_is_told(
    gate: FlagGate, of_rule: dict[str, Any], told: str
) -> None:
    change = notice_foreign_change(plan(**of_rule), gate)
    assert change is not None
    assert not change.takes_back
    assert told in change.reason


def test_a_closed_flag_takes_nothing_back_once_the_rule_goes_by_another() -> None:
    assert not noticed(replace(LEFT, everyone=False), gate_name="other").takes_back
