"""The form in which findings lie in the cache."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.health import Finding
from routers.positions import Position
from routers.rounds import Round, decode, encode

TIMES = st.floats(0, 1e9)
FINDINGS = st.builds(
    Finding,
    TIMES,
    error=st.text(max_size=5),
    is_silent=st.booleans(),
    is_starting=st.booleans(),
    is_standby=st.booleans(),
    position=st.none() | st.builds(Position, st.integers(0, 2**64 - 1), st.integers(1, 9), st.integers(0, 2**64 - 1)),
    is_receiving=st.none() | st.booleans(),
    received=st.none() | st.integers(0, 2**64 - 1),
    clock=st.integers(0, 2**60),
    took=st.floats(0, 9),
    silent_for=st.none() | st.floats(0, 9),
)
ROUNDS = st.builds(
    Round,
    st.text(min_size=1, max_size=5),
    st.integers(0, 1000),
    TIMES,
    st.dictionaries(st.integers(0, 1000), TIMES, max_size=3),
    st.dictionaries(st.text(max_size=5), FINDINGS, max_size=3),
    st.frozensets(st.text(max_size=5), max_size=2),
)


@given(ROUNDS)
def test_a_round_comes_back_as_it_was_told_through_json(told: Round) -> None:
    assert decode(json.loads(json.dumps(encode(told), allow_nan=False))) == told


FULL = encode(Round("one", 1, 1.0, {0: 0.5}, {"replica1": Finding(0.5, position=Position(1, 1, 1))}))


@pytest.mark.parametrize("data", [None, 7, "text", [], {}, {**FULL, "version": 2}, {**FULL, "version": "1"}])
def test_what_is_not_of_this_version_is_no_round(data: object) -> None:
    assert decode(FULL) is not None
    assert decode(data) is None


@pytest.mark.parametrize("name", sorted(FULL.keys() - {"owner"}))
def test_a_round_that_lacks_a_part_or_has_another_kind_of_it_is_none(name: str) -> None:
    assert decode({key: value for key, value in FULL.items() if key != name}) is None
    assert decode({**FULL, name: None}) is None


@pytest.mark.parametrize("finding", [None, 7, {}, {"at": 1.0}])
def test_a_round_with_a_finding_that_cannot_be_read_is_none(finding: object) -> None:
    assert decode({**FULL, "findings": {"replica1": finding}}) is None
