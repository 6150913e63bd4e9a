"""The ladder, rung by rung, without a database."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.contracts import ANY, STRICT, Contract, Freshness
from rollout.gates import SwitchGate
from rollout.models import Mode, TargetKind
from rollout.options import Cluster, Replica
from rollout.policy import Policy, Rule, compile_policy
from rollout.reasons import Reason
from routers.decisions import Decision
from routers.ladder import Situation, decide
from routers.unit import Block

CLUSTER = Cluster("default", (Replica("replica1"), Replica("replica2"), Replica("cold", pool="reporting")))
READ = Situation(
    cluster=CLUSTER,
    endpoint="shop:product-list",
    model="shop.Product",
    is_denied=False,
    is_safe=True,
    in_transaction=False,
    has_written=False,
    block=None,
    obstacle=None,
    affinity="actor",
    kept={},
    opens=lambda rule: rule.gate is None or rule.gate.is_open(None),  # type: ignore[arg-type]
    is_gone=lambda _: False,
    objection=lambda *_: None,
)


def policy(*rules: Rule, kill_switch: bool | None = True) -> Policy:
    return compile_policy(1, kill_switch, rules)


def endpoint_rule(mode: str = Mode.ROUTE, pool: str = "default", **options: Any) -> Rule:
    return Rule(TargetKind.ENDPOINT, "shop:product-list", mode, pool=pool, **options)


def model_rule(mode: str = Mode.ROUTE, pool: str = "default", **options: Any) -> Rule:
    return Rule(TargetKind.MODEL, "shop.Product", mode, pool=pool, **options)


SIX = Contract(Freshness.BOUNDED, 6)
ROUTED = policy(endpoint_rule())
OPEN: dict[str, Any] = {"gate_kind": "switch", "gate_name": "gate", "gate": SwitchGate("gate", active=True)}
CLOSED: dict[str, Any] = {"gate_kind": "switch", "gate_name": "gate", "gate": SwitchGate("gate", active=False)}
MISSING: dict[str, Any] = {"gate_kind": "switch", "gate_name": "gate"}


@pytest.mark.parametrize(
    ("rules", "situation", "reason"),
    [
        pytest.param(ROUTED, {"obstacle": Reason.DISABLED}, Reason.DISABLED, id="disabled"),
        pytest.param(ROUTED, {"obstacle": Reason.POLICY_STALE}, Reason.POLICY_STALE, id="stale policy"),
        pytest.param(None, {}, Reason.POLICY_MISSING, id="no policy"),
        pytest.param(policy(endpoint_rule(), kill_switch=False), {}, Reason.KILL_SWITCH, id="kill switch off"),
        pytest.param(policy(endpoint_rule(), kill_switch=None), {}, Reason.KILL_SWITCH, id="kill switch missing"),
        pytest.param(ROUTED, {"is_denied": True}, Reason.DENIED, id="denied"),
        pytest.param(ROUTED, {"block": Block(forces_primary=True)}, Reason.FORCED_PRIMARY, id="use_primary"),
        pytest.param(ROUTED, {"is_safe": False}, Reason.UNSAFE_METHOD, id="unsafe method"),
        pytest.param(ROUTED, {"in_transaction": True}, Reason.IN_TRANSACTION, id="in a transaction"),
        pytest.param(ROUTED, {"has_written": True}, Reason.HAS_WRITTEN, id="has written"),
        pytest.param(ROUTED, {"objection": lambda *_: Reason.BEHIND}, Reason.BEHIND, id="behind the actor"),
        pytest.param(ROUTED, {"objection": lambda *_: Reason.UNFIT_REPLICA}, Reason.UNFIT_REPLICA, id="unfit replica"),
        pytest.param(policy(endpoint_rule(contract=STRICT)), {}, Reason.STRICT, id="strict rule"),
        pytest.param(policy(endpoint_rule(), model_rule(contract=STRICT)), {}, Reason.STRICT, id="strict model"),
        pytest.param(ROUTED, {"block": Block(contract=STRICT)}, Reason.STRICT, id="strict block"),
        pytest.param(ROUTED, {"block": Block(pool="default", contract=STRICT)}, Reason.STRICT, id="strict use_replica"),
        pytest.param(policy(), {}, Reason.NO_RULE, id="no rule"),
        pytest.param(policy(endpoint_rule(Mode.PIN)), {}, Reason.PINNED, id="pinned"),
        pytest.param(policy(endpoint_rule(), model_rule(Mode.PIN)), {}, Reason.PINNED, id="model pinned"),
        pytest.param(policy(endpoint_rule(**CLOSED)), {}, Reason.GATE_OFF, id="gate off"),
        pytest.param(policy(endpoint_rule(**MISSING)), {}, Reason.GATE_MISSING, id="gate missing"),
        pytest.param(policy(endpoint_rule(**OPEN), model_rule(**CLOSED)), {}, Reason.GATE_OFF, id="one of two gates"),
        pytest.param(policy(endpoint_rule(), model_rule(pool="reporting")), {}, Reason.CONTRADICTION, id="two pools"),
        pytest.param(policy(endpoint_rule(pool="nowhere")), {}, Reason.NO_REPLICA, id="empty pool"),
        pytest.param(policy(endpoint_rule(Mode.OBSERVE)), {}, Reason.OBSERVED, id="observed"),
        pytest.param(policy(endpoint_rule(), model_rule(Mode.OBSERVE)), {}, Reason.OBSERVED, id="model observed"),
        pytest.param(ROUTED, {"block": Block(pool="nowhere")}, Reason.NO_REPLICA, id="use_replica of an empty pool"),
    ],
)
def test_a_read_stays_on_the_primary(rules: Policy | None, situation: dict[str, Any], reason: Reason) -> None:
    decision = decide(rules, replace(READ, **situation))
    assert (decision.alias, decision.reason) == ("default", reason)


@pytest.mark.parametrize(
    ("rules", "situation", "expected"),
    [
        pytest.param(ROUTED, {}, {"replica1", "replica2"}, id="endpoint"),
        pytest.param(policy(model_rule()), {}, {"replica1", "replica2"}, id="model"),
        pytest.param(policy(endpoint_rule(**OPEN), model_rule(**OPEN)), {}, {"replica1", "replica2"}, id="both"),
        pytest.param(policy(endpoint_rule(pool="reporting")), {}, {"cold"}, id="pool"),
        pytest.param(policy(), {"block": Block(pool="default")}, {"replica1", "replica2"}, id="use_replica"),
        pytest.param(
            policy(), {"block": Block(pool="default"), "is_safe": False}, {"replica1", "replica2"}, id="in a POST"
        ),
    ],
)
def test_a_read_goes_to_a_replica(rules: Policy, situation: dict[str, Any], expected: set[str]) -> None:
    decision = decide(rules, replace(READ, **situation))
    assert decision.alias in expected
    assert decision.reason.chooses_replica


def test_an_observed_read_names_the_replica_that_would_have_served_it() -> None:
    routed = decide(ROUTED, READ)
    assert decide(policy(endpoint_rule(Mode.OBSERVE)), READ) == Decision("default", Reason.OBSERVED, routed.alias)


def test_a_replica_is_asked_about_only_when_it_would_serve() -> None:
    def fail(*_: object) -> Reason:
        raise AssertionError("asked")

    assert decide(policy(endpoint_rule(**CLOSED)), replace(READ, objection=fail)).reason is Reason.GATE_OFF


@pytest.mark.parametrize(
    ("rules", "block", "expected"),
    [
        pytest.param(ROUTED, None, "session", id="by default"),
        pytest.param(policy(endpoint_rule(contract=ANY)), None, "any", id="a rule's"),
        pytest.param(policy(endpoint_rule(contract=ANY), model_rule(contract=SIX)), None, "bounded:6", id="two rules"),
        pytest.param(policy(endpoint_rule(contract=ANY)), Block(contract=SIX), "bounded:6", id="a stricter block"),
        pytest.param(policy(endpoint_rule(contract=SIX)), Block(contract=ANY), "bounded:6", id="a looser block"),
        pytest.param(policy(), Block(pool="default", contract=ANY), "any", id="use_replica"),
        pytest.param(policy(model_rule(contract=SIX)), Block(pool="default"), "bounded:6", id="a rule in use_replica"),
        pytest.param(policy(model_rule(contract=ANY)), Block(pool="default"), "session", id="a rule loosens no block"),
    ],
)
def test_the_strictest_contract_counts(rules: Policy, block: Block | None, expected: str) -> None:
    asked: list[str] = []
    decide(rules, replace(READ, block=block, objection=lambda _, contract, __: asked.append(str(contract))))
    assert asked == [expected]


@pytest.mark.parametrize(("mode", "is_observed"), [(Mode.OBSERVE, True), (Mode.ROUTE, False)])
def test_an_observed_read_asks_no_replica_anything(mode: str, is_observed: bool) -> None:
    asked: list[bool] = []
    decide(policy(endpoint_rule(mode)), replace(READ, objection=lambda _, __, observed: asked.append(observed)))
    assert asked == [is_observed]


UNFIT: dict[str, Any] = {"objection": lambda *_: Reason.UNFIT_REPLICA}
OBSERVED = policy(endpoint_rule(Mode.OBSERVE))


@pytest.mark.parametrize(
    ("rules", "situation", "expected"),
    [
        pytest.param(ROUTED, UNFIT, True, id="unfit replica"),
        pytest.param(ROUTED, {"is_safe": False}, True, id="unsafe method"),
        pytest.param(ROUTED, {"in_transaction": True}, True, id="in a transaction"),
        pytest.param(ROUTED, {"has_written": True}, True, id="has written"),
        pytest.param(ROUTED, {"block": Block(forces_primary=True)}, True, id="use_primary"),
        pytest.param(ROUTED, {"block": Block(contract=STRICT)}, True, id="strict block"),
        pytest.param(None, {}, True, id="no policy yet"),
        pytest.param(ROUTED, {"obstacle": Reason.POLICY_STALE}, True, id="stale policy"),
        pytest.param(policy(), {"block": Block(pool="default"), "in_transaction": True}, True, id="use_replica"),
        pytest.param(None, {"is_denied": True}, False, id="denied"),
        pytest.param(ROUTED, {"obstacle": Reason.DISABLED}, False, id="disabled"),
        pytest.param(policy(endpoint_rule(), kill_switch=False), {"has_written": True}, False, id="kill switch"),
        pytest.param(policy(), {"in_transaction": True}, False, id="no rule"),
        pytest.param(policy(endpoint_rule(Mode.PIN)), {"is_safe": False}, False, id="pinned"),
        pytest.param(policy(endpoint_rule(contract=STRICT)), {}, False, id="strict rule"),
        pytest.param(policy(endpoint_rule(**CLOSED)), {}, False, id="gate off"),
        pytest.param(policy(endpoint_rule(**MISSING)), {"has_written": True}, False, id="gate missing"),
        pytest.param(OBSERVED, {}, False, id="observed"),
        pytest.param(OBSERVED, UNFIT, False, id="observed, and unfit"),
        pytest.param(OBSERVED, {"has_written": True}, False, id="observed, and written"),
        pytest.param(policy(endpoint_rule(), model_rule(pool="reporting")), UNFIT, False, id="two pools"),
    ],
)
def test_a_read_is_displaced_when_a_replica_would_have_served_it(
    rules: Policy | None, situation: dict[str, Any], expected: bool
) -> None:
    decision = decide(rules, replace(READ, **situation))
    assert (decision.alias, decision.is_displaced) == ("default", expected)


BLOCKS = st.sampled_from([None, Block(forces_primary=True), Block(pool="default"), Block(pool="nowhere")])
RULES = st.lists(
    st.builds(
        lambda make, mode, pool, gate: make(mode, pool, **gate),
        st.sampled_from([endpoint_rule, model_rule]),
        st.sampled_from([Mode.PIN, Mode.OBSERVE, Mode.ROUTE]),
        st.sampled_from(["default", "reporting", "nowhere"]),
        st.sampled_from([{}, OPEN, CLOSED, MISSING]),
    ),
    max_size=2,
)


@given(
    rules=RULES,
    kill_switch=st.sampled_from([True, False, None]),
    obstacle=st.sampled_from([None, Reason.DISABLED, Reason.POLICY_STALE]),
    facts=st.fixed_dictionaries(
        dict.fromkeys(("is_denied", "is_safe", "in_transaction", "has_written"), st.booleans())
    ),
    objection=st.sampled_from([None, Reason.BEHIND, Reason.UNFIT_REPLICA]),
    block=BLOCKS,
    affinity=st.text(),
)
def test_a_replica_serves_only_what_every_rung_lets_pass(
    rules, kill_switch, obstacle, facts, objection, block, affinity
) -> None:
    situation = replace(
        READ,
        obstacle=obstacle,
        block=block,
        affinity=affinity,
        objection=lambda *_: objection,
        **facts,
    )
    decision = decide(policy(*rules, kill_switch=kill_switch), situation)
    assert (decision.alias != "default") == decision.reason.chooses_replica
    if decision.reason.chooses_replica:
        assert kill_switch
        assert obstacle is None
        assert not any((facts["is_denied"], facts["in_transaction"], facts["has_written"]))
        assert objection is None
        assert not decision.is_displaced
        if block is None:
            assert facts["is_safe"]
            assert rules
            assert all(rule.mode == Mode.ROUTE and (rule.gate is not None or not rule.gate_kind) for rule in rules)
        else:
            assert block == Block(pool="default")
    assert decision == decide(policy(*rules, kill_switch=kill_switch), situation)


def test_under_any_another_replica_serves_for_one_that_is_unfit() -> None:
    rules = policy(endpoint_rule(contract=ANY))
    first = decide(rules, READ).alias
    unfit = replace(READ, objection=lambda alias, *_: Reason.UNFIT_REPLICA if alias == first else None)
    assert {first, decide(rules, unfit).alias} == {"replica1", "replica2"}
    assert decide(ROUTED, unfit).reason is Reason.UNFIT_REPLICA


def test_what_served_a_unit_once_serves_it_again_unless_it_is_out() -> None:
    first = decide(ROUTED, READ).alias
    (other,) = {"replica1", "replica2"} - {first}
    assert decide(ROUTED, replace(READ, kept={"default": other})).alias == other
    drained = replace(ROUTED, drained=frozenset({other}))
    assert decide(drained, replace(READ, kept={"default": other})).alias == first
    assert decide(replace(ROUTED, drained=frozenset({first, other})), READ).reason is Reason.NO_REPLICA


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["stale", "shed"], "shed"),
        (["stale", "primary"], "primary"),
        (["shed", "primary"], "primary"),
        (["stale", "stale"], "stale"),
    ],
)
def test_of_two_rules_the_one_that_risks_less_says_what_happens_over_the_budget(
    answers: list[str], expected: str
) -> None:
    rules = policy(endpoint_rule(over_budget=answers[0]), model_rule(over_budget=answers[1]))
    decision = decide(rules, READ)
    assert decision.terms is not None
    assert decision.terms.over_budget == expected
