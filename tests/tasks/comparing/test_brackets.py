"""How readings are judged: what is proven, what has caught up, what moved too much to tell."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.comparing.brackets import MOST_BRACKETS, PROOF_BRACKETS, Bracket, Conclusion, FirstLook, judge

BEHIND = FirstLook("new", "old", is_behind=True)
marks = st.sampled_from("abc")
brackets_of_any_kind = st.lists(st.builds(Bracket, before=marks, replica=marks, after=marks), max_size=MOST_BRACKETS)
wrong = Bracket("a", "b", "a")


def test_answers_that_are_equal_at_first_need_no_bracket() -> None:
    assert judge(FirstLook("same", "same", is_behind=True), []) is Conclusion.EQUAL


@pytest.mark.parametrize(
    ("is_behind", "expected"), [(True, Conclusion.CAUGHT_UP), (False, Conclusion.EQUAL)], ids=["behind", "not behind"]
)
@pytest.mark.parametrize("last", [Bracket("a", "a", "b"), Bracket("a", "b", "b"), Bracket("a", "a", "a")])
def test_a_replica_that_agrees_with_either_reading_has_caught_up_or_raced(last, is_behind, expected) -> None:
    assert judge(FirstLook("a", "z", is_behind), [wrong, last]) is expected


def test_nothing_is_proven_before_enough_brackets_agree() -> None:
    for count in range(PROOF_BRACKETS):
        assert judge(BEHIND, [wrong] * count) is Conclusion.UNDECIDED
    assert judge(BEHIND, [wrong] * PROOF_BRACKETS) is Conclusion.DIVERGENT


def test_a_primary_that_moves_within_or_between_brackets_proves_nothing() -> None:
    within = [wrong] * (PROOF_BRACKETS - 1) + [Bracket("a", "b", "c")]
    between = [wrong] * (PROOF_BRACKETS - 1) + [Bracket("c", "b", "c")]
    assert judge(BEHIND, within) is Conclusion.UNDECIDED
    assert judge(BEHIND, between) is Conclusion.UNDECIDED


def test_a_primary_that_keeps_moving_is_given_up() -> None:
    moving = [Bracket(str(number), "z", str(number + 1)) for number in range(MOST_BRACKETS)]
    assert judge(BEHIND, moving[:-1]) is Conclusion.UNDECIDED
    assert judge(BEHIND, moving) is Conclusion.MOVED


@given(marks, marks, st.booleans(), brackets_of_any_kind)
def test_divergent_means_that_one_answer_stood_against_the_replica_throughout(
    primary: str, replica: str, is_behind: bool, brackets: Sequence[Bracket]
) -> None:
    concluded = judge(FirstLook(primary, replica, is_behind), brackets)
    last = brackets[-PROOF_BRACKETS:]
    answers = {mark for each in last for mark in (each.before, each.after)}
    is_proof = len(last) == PROOF_BRACKETS and len(answers) == 1 and answers.isdisjoint({each.replica for each in last})
    assert (concluded is Conclusion.DIVERGENT) == (primary != replica and is_proof)


@given(marks, marks, st.booleans(), brackets_of_any_kind)
def test_every_run_of_readings_ends(primary: str, replica: str, is_behind: bool, brackets: Sequence[Bracket]) -> None:
    filled = [*brackets, *[Bracket("x", "y", "z")] * (MOST_BRACKETS - len(brackets))]
    assert judge(FirstLook(primary, replica, is_behind), filled) is not Conclusion.UNDECIDED


def test_a_row_that_is_switched_to_and_fro_is_hardly_ever_taken_for_a_fault() -> None:
    """The worst that a healthy server can do: each reading shows one of two answers by chance."""
    dice = random.Random(1)  # noqa: S311
    concluded = []
    for _ in range(2_000):
        brackets: list[Bracket] = []
        first = FirstLook(dice.random() < 0.5, dice.random() < 0.5, is_behind=True)
        while (conclusion := judge(first, brackets)) is Conclusion.UNDECIDED:
            brackets.append(Bracket(*(dice.random() < 0.5 for _ in range(3))))
        concluded.append(conclusion)
    assert concluded.count(Conclusion.DIVERGENT) == 0
