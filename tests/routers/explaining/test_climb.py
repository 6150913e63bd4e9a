"""The explained ladder: the rung that decides, and what the others would say, without a database."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.contracts import ANY, SESSION, STRICT
from rollout.models import Mode
from rollout.policy import Policy
from rollout.reasons import Reason
from routers.explaining.climb import REASONS, STEP_OF, Climb, Step, climb
from routers.ladder import decide
from routers.unit import Block
from tests.routers.test_ladder import CLOSED, MISSING, OPEN, READ, ROUTED, endpoint_rule, model_rule, policy

BLOCKS = st.sampled_from(
    [None, Block(forces_primary=True), Block(pool="default"), Block(pool="nowhere"), Block(contract=STRICT)]
)
RULES = st.lists(
    st.builds(
        lambda make, mode, pool, gate, contract: make(mode, pool, contract=contract, **gate),
        st.sampled_from([endpoint_rule, model_rule]),
        st.sampled_from([Mode.PIN, Mode.OBSERVE, Mode.ROUTE, Mode.ROUTE]),
        st.sampled_from(["default", "default", "reporting", "nowhere"]),
        st.sampled_from([{}, OPEN, CLOSED, MISSING]),
        st.sampled_from([SESSION, STRICT, ANY]),
    ),
    max_size=2,
)
OBJECTIONS = st.sampled_from([None, None, Reason.UNFIT_REPLICA, Reason.BEHIND, Reason.TOO_OLD, Reason.FOREIGN_TOKEN])
SITUATIONS = st.builds(
    lambda obstacle, facts, block, affinity, objections, gone: replace(
        READ,
        obstacle=obstacle,
        block=block,
        affinity=affinity,
        is_gone=lambda alias: alias in gone,
        objection=lambda alias, *_: objections[alias],
        **facts,
    ),
    st.sampled_from([None, None, None, Reason.DISABLED, Reason.POLICY_STALE]),
    st.fixed_dictionaries(
        {name: st.sampled_from([False, False, True]) for name in ("is_denied", "in_transaction", "has_written")}
        | {"is_safe": st.sampled_from([True, True, False])}
    ),
    BLOCKS,
    st.text(max_size=5),
    st.fixed_dictionaries(dict.fromkeys(("replica1", "replica2", "cold"), OBJECTIONS)),
    st.sets(st.sampled_from(["replica1", "replica2", "cold"])),
)
POLICIES = st.one_of(
    st.none(),
    st.builds(
        lambda rules, on: policy(*rules, kill_switch=on), RULES, st.sampled_from([True, True, True, False, None])
    ),
)


def objections(explained: Climb) -> dict[Step, Reason]:
    return {answer.step: answer.reason for answer in explained.answers if answer.reason is not None}


@given(rules=POLICIES, situation=SITUATIONS)
def test_the_explanation_never_disagrees_with_the_ladder(rules: Policy | None, situation: Any) -> None:
    decision, explained = decide(rules, situation), climb(rules, situation)
    assert explained.decision == decision
    first = next(answer for answer in explained.answers if answer.reason is not None)
    assert (first.step, first.reason) == (explained.deciding, decision.reason)
    assert all(answer.is_asked for answer in explained.answers[: explained.answers.index(first) + 1])
    assert [answer.step for answer in explained.answers] == list(Step)


@given(rules=POLICIES, situation=SITUATIONS)
def test_each_rung_says_what_the_ladder_says_without_those_above_it(rules: Policy | None, situation: Any) -> None:
    found = objections(climb(rules, situation))
    if rules is None:
        return
    free = replace(situation, obstacle=None)
    switched = replace(rules, enabled=True)
    block = situation.block and replace(situation.block, forces_primary=False)
    cleared = replace(free, is_denied=False, in_transaction=False, has_written=False, block=block)
    for step, reason, changed in (
        (Step.KILL_SWITCH, Reason.KILL_SWITCH, (rules, free)),
        (Step.DENY_LIST, Reason.DENIED, (switched, free)),
        (Step.TRANSACTION, Reason.IN_TRANSACTION, (switched, replace(free, is_denied=False, block=None))),
        (Step.WRITES, Reason.HAS_WRITTEN, (switched, replace(cleared, has_written=situation.has_written))),
        (Step.METHOD, Reason.UNSAFE_METHOD, (switched, cleared)),
    ):
        assert (found.get(step) is reason) == (decide(*changed).reason is reason)


def test_rungs_below_the_one_that_decides_say_what_they_would() -> None:
    rules = policy(endpoint_rule(**CLOSED), kill_switch=False)
    explained = climb(rules, replace(READ, is_safe=False, has_written=True, objection=lambda *_: Reason.BEHIND))
    assert objections(explained) == {
        Step.KILL_SWITCH: Reason.KILL_SWITCH,
        Step.WRITES: Reason.HAS_WRITTEN,
        Step.METHOD: Reason.UNSAFE_METHOD,
        Step.GATES: Reason.GATE_OFF,
        Step.REPLICA: Reason.BEHIND,
        Step.OUTCOME: Reason.ROUTED,
    }
    assert explained.imagined == decide(ROUTED, READ)


@pytest.mark.parametrize(
    ("rules", "last"),
    [
        pytest.param(policy(), Step.RULES, id="no rule"),
        pytest.param(policy(endpoint_rule(Mode.PIN), model_rule(pool="reporting")), Step.RULES, id="two pools"),
        pytest.param(policy(endpoint_rule(contract=STRICT)), Step.CONTRACT, id="strict"),
        pytest.param(policy(endpoint_rule(pool="nowhere")), Step.POOL, id="empty pool"),
        pytest.param(None, Step.PROCESS, id="no policy"),
    ],
)
def test_nothing_is_asked_below_a_rung_that_leaves_it_open(rules: Policy | None, last: Step) -> None:
    explained = climb(rules, READ)
    assert [answer.step for answer in explained.answers if answer.is_asked][-1] is last
    assert explained.imagined is None


def test_a_pinned_read_shows_where_it_would_go_if_it_were_routed() -> None:
    explained = climb(policy(endpoint_rule(Mode.PIN)), READ)
    assert explained.decision.reason is Reason.PINNED
    assert explained.imagined == decide(ROUTED, READ)


def test_a_question_is_asked_once() -> None:
    asked: list[str] = []

    def objection(alias: str, *_: object) -> Reason:
        asked.append(alias)
        return Reason.BEHIND

    climb(ROUTED, replace(READ, objection=objection, is_safe=False))
    assert len(asked) == len(set(asked)) == 1


def test_every_reason_belongs_to_one_rung() -> None:
    assert len(STEP_OF) == sum(len(reasons) for reasons in REASONS.values())
