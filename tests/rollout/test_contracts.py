"""The freshness contracts: their text, their order, and which one counts."""

import math
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollout.contracts import (
    ANY,
    LONGEST,
    OLDEST_SECONDS,
    SESSION,
    STRICT,
    Contract,
    Freshness,
    parse_contract,
    strictest,
)

MILLISECONDS = st.integers(min_value=1, max_value=OLDEST_SECONDS * 1000)
BOUNDED = MILLISECONDS.map(lambda thousandths: Contract(Freshness.BOUNDED, thousandths / 1000))
CONTRACTS = st.one_of(st.sampled_from([STRICT, SESSION, ANY]), BOUNDED)


def bounded(seconds: float) -> Contract:
    return Contract(Freshness.BOUNDED, seconds)


FROM_STRICTEST = [STRICT, bounded(0.5), bounded(5), bounded(60), SESSION, ANY]


@pytest.mark.parametrize(
    ("text", "contract"),
    [
        ("strict", STRICT),
        ("session", SESSION),
        ("any", ANY),
        ("bounded:5", bounded(5)),
        ("bounded:0.25", bounded(0.25)),
        ("bounded:2.0", bounded(2)),
        ("bounded:1e3", bounded(1000)),
        ("  Bounded: 5 ", bounded(5)),
        ("STRICT", STRICT),
        pytest.param("bounded:0.12345", bounded(0.123), id="kept to milliseconds"),
        pytest.param(f"bounded:{OLDEST_SECONDS}", bounded(OLDEST_SECONDS), id="the greatest age"),
    ],
)
def test_these_texts_are_contracts(text: str, contract: Contract) -> None:
    assert parse_contract(text) == contract


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fresh",
        "strict:5",
        "session any",
        "bounded",
        "bounded:",
        "bounded:soon",
        "bounded:5s",
        "bounded:2,5",
        "bounded:0",
        "bounded:-0",
        "bounded:-5",
        "bounded:0.0004",
        "bounded:nan",
        "bounded:inf",
        "bounded:1e400",
        f"bounded:{OLDEST_SECONDS + 1}",
        "bounded:5:5",
        "5",
    ],
)
def test_other_texts_are_refused_with_what_was_written_and_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="is no freshness contract") as caught:
        parse_contract(text)
    assert f"“{text}”" in str(caught.value)
    assert all(word in str(caught.value) for word in ("strict", "session", "any", "bounded:5"))


@given(CONTRACTS)
def test_a_contract_reads_as_itself(contract: Contract) -> None:
    assert parse_contract(str(contract)) == contract


@given(st.one_of(st.text(max_size=LONGEST), st.floats().map(lambda seconds: f"bounded:{seconds!r}")))
@example("bounded:.12345678901")
@example("bounded:1234567890e3")
@example(f"bounded:{OLDEST_SECONDS - 0.001}")
def test_whatever_text_is_accepted_its_contract_fits_the_column_and_reads_as_itself(text: str) -> None:
    try:
        contract = parse_contract(text)
    except ValueError:
        return
    assert len(str(contract)) <= LONGEST
    assert parse_contract(str(contract)) == contract


def test_the_order_is_strict_then_the_shorter_age_then_session_then_any() -> None:
    for index, contract in enumerate(FROM_STRICTEST):
        assert [contract.is_looser_than(other) for other in FROM_STRICTEST] == [
            place < index for place in range(len(FROM_STRICTEST))
        ]


@given(CONTRACTS, CONTRACTS)
def test_of_two_contracts_exactly_one_is_looser_unless_they_are_equal(one: Contract, other: Contract) -> None:
    assert (one.is_looser_than(other) + other.is_looser_than(one)) == (one != other)


@given(CONTRACTS, CONTRACTS, CONTRACTS)
def test_what_is_looser_than_a_looser_one_is_looser(one: Contract, other: Contract, third: Contract) -> None:
    if one.is_looser_than(other) and other.is_looser_than(third):
        assert one.is_looser_than(third)
    if not one.is_looser_than(other) and not other.is_looser_than(third):
        assert not one.is_looser_than(third)


@given(st.floats(min_value=0.001), st.sampled_from([Freshness.STRICT, Freshness.SESSION, Freshness.ANY]))
def test_seconds_count_only_in_a_bounded_contract(seconds: float, freshness: Freshness) -> None:
    plain, odd = Contract(freshness), Contract(freshness, seconds)
    assert not odd.is_looser_than(plain)
    assert not plain.is_looser_than(odd)
    assert str(odd) == freshness.value


@given(st.lists(CONTRACTS, min_size=1, max_size=4))
def test_the_strictest_is_looser_than_none_in_whatever_order_they_come(contracts: list[Contract]) -> None:
    for order in permutations(contracts):
        found = strictest(order)
        assert found in contracts
        assert not any(found.is_looser_than(contract) for contract in contracts)


def test_without_any_contract_session_counts() -> None:
    assert strictest([]) == SESSION


@pytest.mark.parametrize(("contract", "follows"), [(STRICT, False), (bounded(5), True), (SESSION, True), (ANY, False)])
def test_only_session_and_bounded_follow_the_actor(contract: Contract, follows: bool) -> None:
    assert contract.follows_actor is follows


def test_the_age_is_unbounded_unless_it_is_named() -> None:
    assert SESSION.seconds == math.inf
