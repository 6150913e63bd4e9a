"""The rungs in words: for whatever is decided there are words, and one rung alone decides."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.conditions import UNDRAWN
from rollout.models import Mode
from rollout.options import Settings
from rollout.policy import Policy
from rollout.reasons import Reason
from routers.explaining.cases import Sight
from routers.explaining.climb import Step
from routers.explaining.rungs import Explanation, explain
from routers.health import Fitness, Standing
from routers.ladder import decide
from routers.lag import UNKNOWN_LAG, Lag, LagState
from routers.positions import Floor, Position
from routers.subjects import PlainParty
from routers.tokens import NOTHING, Token, pinned
from routers.unit import Block
from tests.routers.explaining.test_climb import POLICIES, SITUATIONS
from tests.routers.test_ladder import READ, ROUTED, endpoint_rule, model_rule, policy

HERE = Position(1, 1, 0x1000)
STANDINGS = st.builds(
    Standing,
    fitness=st.sampled_from(Fitness),
    seen_at=st.sampled_from([-math.inf, 0.0, 100.0]),
    lag=st.sampled_from([UNKNOWN_LAG, Lag(LagState.CURRENT, 0.0, 0), Lag(LagState.KNOWN, 1.5, 300)]),
    position=st.sampled_from([None, HERE]),
    detail=st.sampled_from(["", "connection refused"]),
)
TOKENS = st.sampled_from(
    [NOTHING, Token(is_foreign=True), pinned(["default"], 1e12), Token({"default": (Floor(1, 1, lsn=0x2000),)})]
)
SIGHT = Sight(
    settings=Settings(),
    subject=PlainParty("actor", dice=UNDRAWN),
    method="GET",
    denied_by="",
    token=NOTHING,
    standings=None,
    now=100.0,
    position_of=lambda floor: Position(floor.system, floor.timeline, floor.lsn),
)
SIGHTS = st.builds(
    lambda actor, token, standings, share, concurrency, position_of: replace(
        SIGHT,
        subject=PlainParty(actor, dice=UNDRAWN),
        token=token,
        standings=standings,
        settings=Settings(fallback_share=share, fallback_concurrency=concurrency),
        position_of=position_of,
    ),
    st.sampled_from([None, "actor"]),
    TOKENS,
    st.none() | st.fixed_dictionaries(dict.fromkeys(("replica1", "replica2", "cold"), STANDINGS)),
    st.sampled_from([None, 0.2]),
    st.sampled_from([None, 3]),
    st.sampled_from([lambda _: None, SIGHT.position_of]),
)
KEPT = st.sampled_from([{}, {"default": "replica2"}, {"default": "replica9"}])


@given(rules=POLICIES, situation=SITUATIONS, sight=SIGHTS, kept=KEPT)
def test_every_rung_has_words_and_one_decides(rules: Policy | None, situation: Any, sight: Sight, kept: Any) -> None:
    situation = replace(situation, kept=kept)
    explanation = explain(rules, situation, sight)
    assert explanation.decision == decide(rules, situation)
    (deciding,) = (rung for rung in explanation.rungs if rung.decides)
    assert deciding.reason is explanation.decision.reason
    assert all(rung.facts for rung in explanation.rungs)
    assert all(fact.endswith((".", "?")) for rung in explanation.rungs for fact in rung.facts)
    assert [rung.step for rung in explanation.rungs] == list(Step)


def test_a_replica_that_goes_meanwhile_is_explained_as_it_was_when_the_read_was_decided() -> None:
    asked: list[str] = []

    def is_gone(alias: str) -> bool:
        asked.append(alias)
        return asked.count(alias) > 1

    explanation = explain(policy(endpoint_rule()), replace(READ, is_gone=is_gone), SIGHT)
    assert explanation.decision.reason is Reason.ROUTED
    assert facts(explanation, Step.REPLICA)[0].startswith(f"This actor keeps to {explanation.decision.alias}")


def facts(explanation: Explanation, step: Step) -> tuple[str, ...]:
    return next(rung.facts for rung in explanation.rungs if rung.step is step)


def test_what_lies_in_the_code_is_named() -> None:
    block = Block(pool="default", contract=endpoint_rule().contract)
    explanation = explain(policy(), replace(READ, block=block, is_safe=False), SIGHT)
    assert explanation.decision.reason is Reason.FORCED_REPLICA
    assert facts(explanation, Step.BLOCK) == (
        "Inside use_replica(), for the pool “default”: neither method, nor rules, nor gates are asked.",
        'Inside use_contract("session").',
    )


def test_a_replica_is_named_with_its_fitness_its_position_and_its_lag() -> None:
    standings = {
        "replica1": Standing(Fitness.FIT, seen_at=99.0, lag=Lag(LagState.KNOWN, 1.5, 300), position=HERE),
        "replica2": Standing(Fitness.UNREACHABLE, seen_at=99.0, detail="connection refused"),
        "cold": Standing(),
    }
    token = Token({"default": (Floor(1, 1, lsn=0x2000),)})
    said = facts(explain(ROUTED, READ, replace(SIGHT, standings=standings, token=token)), Step.REPLICA)
    assert "The actor must be shown everything up to position 0/2000 on timeline 1." in said
    assert "replica1 had not reached it when last asked." in said
    assert "replica1 serves reads, at 0/1000 on timeline 1, at most 1.5 s behind." in said
    assert "replica2 refuses connections or broke them (connection refused)." in said
    assert not [fact for fact in said if "cold" in fact]


def test_what_is_no_longer_known_is_not_said() -> None:
    standings = dict.fromkeys(("replica1", "replica2"), Standing(Fitness.FIT, seen_at=40.0))
    said = facts(explain(ROUTED, READ, replace(SIGHT, standings=standings)), Step.REPLICA)
    assert "replica1 has not been heard of for 60.0 s." in said


@pytest.mark.parametrize(
    ("over_budget", "words"),
    [
        ("primary", "Beyond that, the primary is read all the same."),
        ("shed", "Beyond that, the read is refused, with 503 and Retry-After."),
    ],
)
def test_the_budget_says_what_happens_beyond_it(over_budget: str, words: str) -> None:
    sight = replace(SIGHT, settings=Settings(fallback_share=0.2, fallback_concurrency=3))
    said = facts(explain(policy(endpoint_rule(over_budget=over_budget)), READ, sight), Step.BUDGET)
    assert said == (
        "Reads of at most 20.0% of a process's routed units fall back to the primary.",
        "A process runs at most 3 such reads on the primary at once.",
        words,
    )


def test_an_observed_read_names_the_replica_that_would_serve_it() -> None:
    explanation = explain(policy(endpoint_rule(Mode.OBSERVE), model_rule()), READ, SIGHT)
    candidate = explanation.decision.candidate
    assert facts(explanation, Step.OUTCOME) == (
        f"“default”, the primary, serves the read; {candidate} would if a rule routed it.",
    )
