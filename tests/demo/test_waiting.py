import pytest

from demo.waiting import wait_until


def test_the_answer_is_returned_as_soon_as_it_is_true() -> None:
    answers = iter([None, 0, "ready"])

    assert wait_until(lambda: next(answers), 5, "an answer") == "ready"


def test_the_timeout_says_what_was_waited_for() -> None:
    with pytest.raises(TimeoutError, match=r"^Waited 0\.02 s for the moon\.$"):
        wait_until(lambda: False, 0.02, "the moon")


def test_a_timeout_of_zero_still_asks_once() -> None:
    assert wait_until(lambda: True, 0, "nothing")
