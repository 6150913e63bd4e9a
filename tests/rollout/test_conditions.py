"""What opens a gate, in words: it never says anything else than the gate."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.bucketing import BUCKETS, bucket
from rollout.conditions import UNDRAWN, conditions_of
from rollout.gates import FlagGate, Gate, SampleGate, SwitchGate
from tests.rollout.support import FakeSubject, Person

PEOPLE = st.builds(Person, pk=st.integers(1, 3), is_staff=st.booleans(), is_superuser=st.booleans())
SUBJECTS = st.builds(
    lambda actor, language, user, groups: FakeSubject(
        actor, UNDRAWN, language, user, groups if user is not None else frozenset()
    ),
    st.sampled_from([None, "one", "two"]),
    st.sampled_from([None, "de", "fr"]),
    st.none() | PEOPLE,
    st.frozensets(st.integers(1, 3), max_size=2),
)
FLAGS = st.builds(
    FlagGate,
    name=st.just("checkout"),
    everyone=st.sampled_from([None, None, None, True, False]),
    threshold=st.sampled_from([0, 1, 50_000, 99_900]),
    superusers=st.booleans(),
    staff=st.booleans(),
    authenticated=st.booleans(),
    languages=st.frozensets(st.sampled_from(["de", "en"]), max_size=1),
    user_ids=st.frozensets(st.integers(1, 3), max_size=1),
    group_ids=st.frozensets(st.integers(1, 3), max_size=1),
    custom=st.sampled_from([None, lambda _: True, lambda _: False, lambda _: None]),
)
GATES = st.one_of(
    FLAGS,
    st.builds(SwitchGate, name=st.just("switch"), active=st.booleans()),
    st.builds(SampleGate, name=st.just("sample"), threshold=st.sampled_from([0, 1, 50_000, BUCKETS])),
)


@given(gate=GATES, subject=SUBJECTS)
def test_a_gate_is_open_exactly_if_a_condition_holds(gate: Gate, subject: FakeSubject) -> None:
    assert any(condition.holds for condition in conditions_of(gate, subject)) == gate.is_open(subject)


@given(gate=GATES, subject=SUBJECTS, other=SUBJECTS, dice=st.integers(0, BUCKETS - 1))
def test_only_what_is_not_known_could_open_a_closed_gate(
    gate: Gate, subject: FakeSubject, other: FakeSubject, dice: int
) -> None:
    known = FakeSubject(
        subject.actor_is or other.actor_is,
        dice,
        subject.language_is or other.language_is,
        subject.user_is or other.user_is,
        subject.group_ids_are if subject.user_is else other.group_ids_are,
    )
    if all(condition.holds is False for condition in conditions_of(gate, subject)):
        assert not gate.is_open(known)


def words(gate: Gate, **subject: Any) -> list[tuple[str, bool | None]]:
    return [
        (condition.words, condition.holds) for condition in conditions_of(gate, FakeSubject(dice_is=UNDRAWN, **subject))
    ]


def test_a_percentage_names_the_bucket_on_either_side_of_it() -> None:
    number = bucket("checkout", "one")
    below, above = FlagGate("checkout", threshold=number + 1), FlagGate("checkout", threshold=number)
    assert f"the actor's bucket is {number:,} of 100,000, which is below." in words(below, actor_is="one")[0][0]
    assert words(below, actor_is="one")[0][1] is True
    assert f"the actor's bucket is {number:,} of 100,000, which is not below." in words(above, actor_is="one")[0][0]
    assert words(above, actor_is="one")[0][1] is False


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        pytest.param(FlagGate("f", everyone=True), ("It is open for everyone.", True), id="everyone"),
        pytest.param(FlagGate("f", everyone=False), ("It is closed for everyone.", False), id="nobody"),
        pytest.param(
            FlagGate("f"), ("It is open for nobody: no percentage, user or language is set.", False), id="nothing set"
        ),
        pytest.param(FlagGate("f", staff=True), ("It is open for staff: no user is given.", None), id="no user"),
        pytest.param(
            FlagGate("f", group_ids=frozenset({1})), ("It is open for 1 group: no user is given.", None), id="group"
        ),
        pytest.param(
            FlagGate("f", threshold=25_000),
            ("It is open for 25 % of the actors, the buckets below 25,000: no actor is given.", None),
            id="no actor",
        ),
        pytest.param(
            SampleGate("s", 2_500), ("It is open for 2.5 % of the units, drawn anew for each.", None), id="sample"
        ),
    ],
)
def test_a_condition_says_what_it_goes_by(gate: Gate, said: tuple[str, bool | None]) -> None:
    assert words(gate) == [said]
