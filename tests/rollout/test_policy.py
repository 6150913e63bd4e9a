"""Compiling rules: which apply to a read, and what a person is told."""

import dataclasses

import pytest

from rollout.contracts import STRICT
from rollout.gates import SwitchGate
from rollout.models import GateKind, Mode, TargetKind
from rollout.policy import Policy, Rule, compile_policy


def endpoint(target: str = "names", mode: str = Mode.ROUTE, pool: str = "default") -> Rule:
    return Rule(TargetKind.ENDPOINT, target, mode, pool=pool)


def model(target: str = "shop.Product", mode: str = Mode.ROUTE, pool: str = "default") -> Rule:
    return Rule(TargetKind.MODEL, target, mode, pool=pool)


def compiled(*rules: Rule, kill_switch: bool | None = True) -> Policy:
    return compile_policy(7, kill_switch, rules)


def test_a_read_must_satisfy_the_rule_of_its_endpoint_and_that_of_its_model() -> None:
    policy = compiled(model(), endpoint())
    assert policy.rules_for("names", "shop.Product") == (endpoint(), model())
    assert policy.rules_for("names", "shop.Tag") == (endpoint(),)
    assert policy.rules_for("other", "shop.Product") == (model(),)
    assert policy.rules_for("other", "shop.Tag") == ()


def test_an_endpoint_named_like_a_model_is_not_taken_for_it() -> None:
    assert compiled(endpoint("shop.Product")).rules_for("names", "shop.Product") == ()
    assert compiled(model("names")).rules_for("names", "shop.Product") == ()


@pytest.mark.parametrize(("kill_switch", "enabled"), [(True, True), (False, False), (None, False)])
def test_a_policy_is_enabled_only_by_a_kill_switch_that_is_on(kill_switch: bool | None, enabled: bool) -> None:
    policy = compiled(kill_switch=kill_switch)
    assert (policy.revision, policy.enabled) == (7, enabled)


def test_a_missing_kill_switch_is_a_problem_and_one_that_is_off_is_none() -> None:
    (problem,) = compiled(kill_switch=None).problems
    assert "kill switch is missing" in problem
    assert "“readshift”" in problem
    assert compiled(kill_switch=False).problems == ()


def test_a_missing_gate_is_a_problem_that_names_rule_and_gate() -> None:
    rule = Rule(TargetKind.ENDPOINT, "names", Mode.ROUTE, GateKind.SAMPLE, "tenth")
    assert rule.is_gate_missing
    (problem,) = compiled(rule).problems
    assert "endpoint names" in problem
    assert "waffle sample “tenth”" in problem


def test_a_rule_whose_gate_exists_or_that_has_none_is_no_problem() -> None:
    gated = Rule(TargetKind.ENDPOINT, "names", Mode.ROUTE, GateKind.SWITCH, "on", SwitchGate("on", active=False))
    assert not gated.is_gate_missing
    assert not endpoint().is_gate_missing
    assert compiled(gated, model()).problems == ()


def test_a_contract_that_cannot_be_read_is_a_problem_that_names_rule_and_reason() -> None:
    rule = Rule(TargetKind.ENDPOINT, "names", Mode.ROUTE, contract=STRICT, contract_error="“x” is no contract.")
    (problem,) = compiled(rule).problems
    assert "endpoint names" in problem
    assert "its reads go to the primary. “x” is no contract." in problem


def test_a_model_routed_to_a_pool_that_no_endpoint_uses_is_a_problem() -> None:
    (problem,) = compiled(endpoint(), model(pool="reporting")).problems
    assert "shop.Product" in problem
    assert "“reporting”" in problem


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([model(pool="reporting")], id="no endpoint has a rule"),
        pytest.param([endpoint(), endpoint("report", pool="reporting"), model(pool="reporting")], id="one agrees"),
        pytest.param([endpoint(), model(mode=Mode.OBSERVE, pool="reporting")], id="the model is only observed"),
        pytest.param([endpoint(mode=Mode.PIN), model(pool="reporting")], id="the endpoint is pinned"),
    ],
)
def test_pools_that_can_agree_are_no_problem(rules: list[Rule]) -> None:
    assert compiled(*rules).problems == ()


def test_a_policy_cannot_be_changed() -> None:
    policy = compiled(endpoint())
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.enabled = False  # type: ignore[misc]
    with pytest.raises(TypeError):
        policy.endpoint_rules["other"] = endpoint()  # type: ignore[index]


def test_later_changes_of_what_it_was_compiled_from_do_not_reach_a_policy() -> None:
    rules = [endpoint()]
    policy = compile_policy(1, True, rules)
    rules.clear()
    assert list(policy.endpoint_rules) == ["names"]
