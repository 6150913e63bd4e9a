"""What opens a gate, and what is looked up to find out."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.bucketing import BUCKETS, bucket, threshold
from rollout.gates import FlagGate, Gate, SampleGate, SwitchGate
from tests.rollout.support import FakeSubject, Person

INSIDE = threshold(Decimal(10))
ACTORS = [f"actor-{number}" for number in range(1000)]
ACTOR_INSIDE = next(actor for actor in ACTORS if bucket("checkout", actor) < INSIDE)
ACTOR_OUTSIDE = next(actor for actor in ACTORS if bucket("checkout", actor) >= INSIDE)


def flag(**conditions: Any) -> FlagGate:
    return FlagGate("checkout", **conditions)


def test_a_flag_without_conditions_is_closed_and_asks_nothing() -> None:
    subject = FakeSubject("actor", user_is=Person(is_staff=True, is_superuser=True))
    assert not flag().is_open(subject)
    assert subject.asked == []


@pytest.mark.parametrize("everyone", [True, False])
def test_everyone_overrides_all_other_conditions_and_asks_nothing(everyone: bool) -> None:
    subject = FakeSubject("actor", user_is=Person(is_staff=everyone))
    gate = flag(everyone=everyone, staff=not everyone, threshold=0 if everyone else BUCKETS)
    assert gate.is_open(subject) is everyone
    assert subject.asked == []


@pytest.mark.parametrize(
    ("conditions", "user"),
    [
        pytest.param({"authenticated": True}, Person(), id="authenticated"),
        pytest.param({"staff": True}, Person(is_staff=True), id="staff"),
        pytest.param({"superusers": True}, Person(is_superuser=True), id="superusers"),
        pytest.param({"user_ids": frozenset({7, 8})}, Person(pk=7), id="users"),
        pytest.param({"custom": lambda user: user.pk == 7}, Person(pk=7), id="custom"),
    ],
)
def test_a_condition_on_the_user_opens_for_that_user_and_for_no_other(conditions: dict[str, Any], user: Person) -> None:
    gate = flag(**conditions)
    assert gate.is_open(FakeSubject(user_is=user))
    assert not gate.is_open(FakeSubject(user_is=Person(pk=9, is_authenticated="authenticated" not in conditions)))
    assert not gate.is_open(FakeSubject(user_is=None))


def test_a_flag_for_groups_opens_for_their_members() -> None:
    gate = flag(group_ids=frozenset({3, 4}))
    assert gate.is_open(FakeSubject(user_is=Person(), group_ids_are=frozenset({1, 4})))
    assert not gate.is_open(FakeSubject(user_is=Person(), group_ids_are=frozenset({1, 2})))


def test_a_custom_check_that_does_not_know_leaves_it_to_the_percentage() -> None:
    assert not flag(custom=lambda _: None).is_open(FakeSubject(user_is=Person()))
    assert flag(custom=lambda _: None, threshold=BUCKETS).is_open(FakeSubject(actor_is="ada", user_is=Person()))


def test_a_custom_check_that_says_no_closes_the_gate_whatever_the_percentage() -> None:
    assert not flag(custom=lambda _: False, threshold=BUCKETS).is_open(FakeSubject(actor_is="ada", user_is=Person()))


def test_a_custom_check_is_not_asked_where_there_is_no_user() -> None:
    assert flag(custom=lambda _: False, threshold=BUCKETS).is_open(FakeSubject(actor_is="ada", user_is=None))


def test_a_user_without_a_key_is_in_no_list_of_users() -> None:
    anonymous = Person(pk=None, is_authenticated=False)
    assert not flag(user_ids=frozenset({7}), authenticated=True).is_open(FakeSubject(user_is=anonymous))


def test_a_flag_for_languages_opens_for_these_and_asks_for_no_user() -> None:
    gate = flag(languages=frozenset({"de", "pt-br"}))
    subject = FakeSubject(language_is="pt-br", user_is=Person())
    assert gate.is_open(subject)
    assert not gate.is_open(FakeSubject(language_is="pt"))
    assert not gate.is_open(FakeSubject(language_is=None))
    assert "user" not in subject.asked


def test_a_percentage_opens_for_the_actors_in_its_buckets() -> None:
    gate = flag(threshold=INSIDE)
    assert gate.is_open(FakeSubject(ACTOR_INSIDE))
    assert not gate.is_open(FakeSubject(ACTOR_OUTSIDE))


def test_the_last_bucket_that_a_percentage_opens_is_below_its_threshold() -> None:
    actor_bucket = bucket("checkout", "actor")
    assert flag(threshold=actor_bucket + 1).is_open(FakeSubject("actor"))
    assert not flag(threshold=actor_bucket).is_open(FakeSubject("actor"))


def test_without_an_actor_a_percentage_opens_for_nobody() -> None:
    assert not flag(threshold=BUCKETS).is_open(FakeSubject(None))


def test_a_percentage_asks_for_no_user() -> None:
    subject = FakeSubject(ACTOR_OUTSIDE, user_is=Person())
    flag(threshold=INSIDE).is_open(subject)
    assert set(subject.asked) == {"actor"}


def test_a_percentage_that_opens_spares_the_look_at_the_user() -> None:
    subject = FakeSubject(ACTOR_INSIDE, user_is=Person(is_staff=True))
    assert flag(threshold=INSIDE, staff=True, group_ids=frozenset({1})).is_open(subject)
    assert "user" not in subject.asked


def test_a_user_outside_the_percentage_is_let_in_by_another_condition() -> None:
    assert flag(threshold=INSIDE, staff=True).is_open(FakeSubject(ACTOR_OUTSIDE, user_is=Person(is_staff=True)))


def test_groups_are_looked_up_only_when_a_flag_names_some_and_nothing_else_opened_it() -> None:
    without = FakeSubject(user_is=Person())
    flag(staff=True).is_open(without)
    opened = FakeSubject(user_is=Person(is_staff=True))
    flag(staff=True, group_ids=frozenset({1})).is_open(opened)
    assert "group_ids" not in without.asked + opened.asked


@pytest.mark.parametrize("active", [True, False])
def test_a_switch_answers_the_same_for_all_and_asks_nothing(active: bool) -> None:
    subject = FakeSubject("actor", user_is=Person(is_superuser=True))
    assert SwitchGate("kill", active).is_open(subject) is active
    assert subject.asked == []


def test_a_sample_answers_the_same_throughout_a_unit() -> None:
    gate = SampleGate("tenth", INSIDE)
    inside, outside = FakeSubject(dice_is=INSIDE - 1), FakeSubject(dice_is=INSIDE)
    assert {gate.is_open(inside) for _ in range(100)} == {True}
    assert {gate.is_open(outside) for _ in range(100)} == {False}


@given(
    dice=st.integers(min_value=0, max_value=BUCKETS - 1),
    limits=st.lists(st.integers(min_value=0, max_value=BUCKETS), min_size=2, max_size=2).map(sorted),
)
def test_a_larger_sample_only_adds_units(dice: int, limits: list[int]) -> None:
    small, large = (SampleGate("some", limit).is_open(FakeSubject(dice_is=dice)) for limit in limits)
    assert small <= large


@pytest.mark.parametrize(("limit", "is_open"), [(0, False), (BUCKETS, True)])
def test_a_sample_of_nothing_or_everything_knows_no_chance(limit: int, is_open: bool) -> None:
    gate: Gate = SampleGate("some", limit)
    assert {gate.is_open(FakeSubject(dice_is=dice)) for dice in (0, BUCKETS - 1)} == {is_open}
