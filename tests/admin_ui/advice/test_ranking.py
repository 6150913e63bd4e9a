"""The order of endpoints, their risks and their next steps."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.advice.risks import Hazard, Level, Risk, combined, level_of
from admin_ui.advice.standbys import Patience
from rollout.contracts import STRICT
from rollout.gates import FlagGate
from rollout.policy import Rule
from rollout.reasons import Reason
from tests.admin_ui.advice.evidence import advised, evidence

RISKS = ("safe_writes", "writes_after_reads", "with_token")
counts = st.fixed_dictionaries({name: st.integers(0, 1_000) for name in RISKS})


@given(st.integers(0, 10_000), st.integers(1, 10_000), counts)
def test_of_two_alike_the_one_with_more_reads_to_move_is_never_below(
    movable: int, more: int, facts: dict[str, Any]
) -> None:
    found = advised(evidence("less", movable, **facts), evidence("more", movable + more, **facts)).endpoints
    assert [one.endpoint for one in found] == ["more", "less"]


@given(counts, st.sampled_from(RISKS), st.integers(1, 1_000))
def test_of_two_alike_the_riskier_one_is_never_above(facts: dict[str, Any], name: str, more: int) -> None:
    worse: dict[str, Any] = {**facts, name: min(1_000, facts[name] + more)}
    tame, risky = (advised(evidence(**each)).endpoints[0] for each in (facts, worse))
    assert risky.risk >= tame.risk
    assert risky.score <= tame.score


@given(st.lists(st.tuples(st.sampled_from(Hazard), st.floats(0, 1)), max_size=6))
def test_the_risk_of_all_hazards_is_a_share_and_no_less_than_that_of_each(pairs: list[tuple[Hazard, float]]) -> None:
    risks = [Risk(hazard, share, "") for hazard, share in pairs]
    total = combined(risks)
    assert 0 <= total <= 1
    assert all(total >= combined([risk]) - 1e-12 for risk in risks)


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_does_not_depend_on_that_of_the_rows(names: list[str]) -> None:
    assert [one.endpoint for one in advised(*(evidence(name) for name in names)).endpoints] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        ({}, Level.LOW),
        ({"safe_writes": 9}, Level.LOW),
        ({"safe_writes": 10}, Level.SOME),
        ({"safe_writes": 100}, Level.HIGH),
        ({"with_token": 100}, Level.SOME),
        ({"compared": 10_000, "divergent": 1}, Level.HIGH),
        ({"units": 0}, Level.UNKNOWN),
        ({"replayed": 50, "on_replicas": 100}, Level.HIGH),
    ],
)
def test_how_risky_it_is(facts: dict[str, Any], level: Level) -> None:
    assert advised(evidence(**facts)).endpoints[0].level is level


class TestConflicts:
    def test_units_that_take_longer_than_a_replica_waits_may_be_cancelled(self) -> None:
        (found,) = advised(evidence(seconds=[0.01] * 99 + [40.0])).endpoints
        assert [risk.hazard for risk in found.risks] == [Hazard.CONFLICT]
        assert found.risks[0].share == 0.01
        assert "“replica1” cancels reads that hold up its replay for so long" in found.risks[0].words

    def test_the_least_patient_replica_counts(self) -> None:
        patience = (Patience("replica1", 30.0, gives_feedback=False), Patience("replica2", 1.0, gives_feedback=True))
        (found,) = advised(evidence(seconds=[2.0, 0.01]), patience=patience).endpoints
        assert found.risks[0].share == 0.5
        assert "“replica2”" in found.risks[0].words
        assert "hot_standby_feedback is on" in found.risks[0].words

    def test_waiting_for_ever_is_not_the_least_patience(self) -> None:
        patience = (Patience("replica1", None, gives_feedback=False), Patience("replica2", 1.0, gives_feedback=True))
        (found,) = advised(evidence(seconds=[2.0, 0.01]), patience=patience).endpoints
        assert "“replica2”" in found.risks[0].words

    def test_one_that_waits_for_ever_falls_behind_instead(self) -> None:
        (found,) = advised(
            evidence(seconds=[20.0]), patience=(Patience("replica1", None, gives_feedback=False),)
        ).endpoints
        assert "lets reads hold up its replay for ever, and is out of service" in found.risks[0].words

    def test_nothing_is_said_of_replicas_that_gave_no_answer(self) -> None:
        assert not advised(evidence(seconds=[40.0]), patience=()).endpoints[0].risks


def test_what_stays_is_told_apart_from_what_could_move() -> None:
    reads = {Reason.NO_RULE: 5, Reason.OBSERVED: 4, Reason.DENIED: 3, Reason.PINNED: 2, Reason.KILL_SWITCH: 1, "new": 1}
    (found,) = advised(evidence(on_primary=reads, denied={"auth.User": 3})).endpoints
    assert (found.evidence.movable, found.evidence.undecided) == (9, 1)
    assert found.stays[0] == "3: The model is on the deny list (auth.User)"
    assert [line.split(":")[0] for line in found.stays] == ["3", "2", "1", "1"]


def test_reads_that_no_rule_can_name_are_not_ranked_but_noted() -> None:
    found = advised(evidence(""), evidence("(unresolved)", 7), evidence())
    assert [one.endpoint for one in found.endpoints] == ["names"]
    assert found.movable == 100
    assert found.notes[0].startswith("107 reads ran where no rule for an endpoint reaches")


def test_what_it_takes_on_the_primary_is_told_where_shadow_reads_know_it() -> None:
    assert advised(evidence()).endpoints[0].database_seconds is None
    assert advised(evidence(compared=5, primary_ms=20.0)).endpoints[0].database_seconds == 2.0


RULE = Rule("endpoint", "names", "observe", "flag", "stage", FlagGate("stage", everyone=False))
COMPARED = {"compared": 100}


@pytest.mark.parametrize(
    ("rule", "facts", "step"),
    [
        (None, {}, "Observe first: add a rule for it in mode observe: /rules/names"),
        (None, {"movable": 0}, "Nothing"),
        (None, {"safe_writes": 500}, "Take the write out of its safe requests first"),
        (None, {"on_replicas": 5}, "Rules for its models, or blocks in its code"),
        (None, {"on_primary": {Reason.GATE_OFF: 5}}, "Rules for its models, or blocks in its code"),
        (replace(RULE, mode="pin"), {"on_primary": {Reason.PINNED: 5}}, "A rule pins it"),
        (replace(RULE, gate=None), COMPARED, "Create the flag “stage” of its rule"),
        (replace(RULE, contract=STRICT), COMPARED, "Its rule is strict"),
        (RULE, {}, "Have 1 percent of its reads compared: /rules/names, and then: manage.py readshift shadow names"),
        (replace(RULE, shadow_share=0.01), {}, "Wait for its shadow reads: manage.py readshift shadow names"),
        (RULE, {"compared": 9, "divergent": 1}, "Find out why its answers differ before anything else: manage.py"),
        (RULE, COMPARED, "Start a rollout: manage.py readshift plan endpoint:names --template careful"),
        (replace(RULE, gate_kind="", gate_name="", gate=None), COMPARED, "Give its rule a flag: /rules/names"),
        (replace(RULE, mode="route"), {"on_primary": {Reason.GATE_OFF: 5}}, "Open its flag further, in stages"),
        (replace(RULE, mode="route"), {"on_primary": {}, "on_replicas": 9}, "Nothing"),
    ],
)
def test_the_next_step(rule: Rule | None, facts: dict[str, Any], step: str) -> None:
    assert str(advised(evidence(rule=rule, **facts)).endpoints[0].next).startswith(step)


def test_names_are_quoted_for_the_shell() -> None:
    name = "test/<int:number>/"
    (found,) = advised(evidence(name, rule=replace(RULE, target=name), **COMPARED)).endpoints
    assert "plan 'endpoint:test/<int:number>/' --template" in found.next.command


def test_little_data_is_called_little() -> None:
    assert [advised(evidence(units=units)).endpoints[0].is_thin for units in (29, 30)] == [True, False]


def test_a_level_of_no_risk_is_low() -> None:
    assert level_of(1, ()) is Level.LOW
