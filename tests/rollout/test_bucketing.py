"""The hash behind every percentage: frozen, even, monotone; and the choice of a replica."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout import bucketing
from rollout.bucketing import BUCKETS, bucket, choose, threshold

NAMES = st.text(max_size=40)
TENTHS = st.integers(min_value=0, max_value=1000)


# Computed with a BLAKE2b written from RFC 7693 and with exact fractions, from nothing but the docstrings.
@pytest.mark.parametrize(
    ("flag", "actor", "expected"),
    [
        ("products-from-replica", "session-1", 13756),
        ("products-from-replica", "session-2", 94558),
        ("orders-from-replica", "session-1", 84957),
        ("checkout", "", 71174),
        ("", "", 75700),
        ("größe", "Zoë", 40707),
        ("日本", "🦆", 26786),
        ("a", "b", 93559),
        ("ab", "", 10553),
        ("x" * 100, "y" * 200, 8201),
    ],
)
def test_the_bucket_of_an_actor_never_changes_between_versions(flag: str, actor: str, expected: int) -> None:
    assert bucket(flag, actor) == expected


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        pytest.param({"replica1": 1, "replica2": 1}, "12222111", id="equal weights"),
        pytest.param({"replica1": 1, "replica2": 1, "replica3": 2}, "123321311332", id="one of double weight"),
    ],
)
def test_the_replica_of_an_actor_never_changes_between_versions(weights: dict[str, int], expected: str) -> None:
    chosen = [choose(weights, f"actor-{number}") for number in range(len(expected))]
    assert chosen == [f"replica{digit}" for digit in expected]


@given(flag=NAMES, actor=NAMES)
def test_a_bucket_is_one_of_the_buckets(flag: str, actor: str) -> None:
    assert 0 <= bucket(flag, actor) < BUCKETS


@given(flag=NAMES, actor=NAMES, one=TENTHS, other=TENTHS)
def test_a_larger_percentage_only_adds_actors_and_a_smaller_one_only_removes_them(
    flag: str, actor: str, one: int, other: int
) -> None:
    small, large = sorted((Decimal(one) / 10, Decimal(other) / 10))
    is_in_small = bucket(flag, actor) < threshold(small)
    is_in_large = bucket(flag, actor) < threshold(large)
    assert is_in_small <= is_in_large


@given(flag=NAMES, actor=NAMES)
def test_nobody_is_in_at_0_percent_and_everybody_at_100(flag: str, actor: str) -> None:
    assert threshold(Decimal(0)) <= bucket(flag, actor) < threshold(Decimal(100))


def test_10_percent_of_many_actors_are_10_percent() -> None:
    limit = threshold(Decimal(10))
    inside = sum(bucket("products-from-replica", f"actor-{number}") < limit for number in range(100_000))
    assert 9_700 <= inside <= 10_300


def test_two_flags_at_the_same_percentage_choose_independent_actors() -> None:
    limit = threshold(Decimal(10))
    one, other = (
        {number for number in range(100_000) if bucket(flag, f"actor-{number}") < limit} for flag in ("one", "other")
    )
    # Independent means 10 % of 10 %, which is 1,000 with a standard deviation of 31.
    assert 850 <= len(one & other) <= 1_150


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (None, 0),
        (Decimal(-1), 0),
        (Decimal("-0.1"), 0),
        (Decimal(0), 0),
        (Decimal("0.001"), 1),
        (Decimal("0.1"), 100),
        (Decimal("33.3"), 33_300),
        (Decimal("99.9"), 99_900),
        (Decimal(100), BUCKETS),
        (Decimal("100.1"), 0),
        (Decimal(150), 0),
        (Decimal("NaN"), 0),
        (Decimal("Infinity"), 0),
    ],
)
def test_a_percentage_opens_its_share_of_buckets_and_nonsense_opens_none(percent: Decimal | None, expected: int):
    assert threshold(percent) == expected


def chosen_by_many(weights: dict[str, int]) -> list[str | None]:
    return [choose(weights, f"actor-{number}") for number in range(20_000)]


def test_each_replica_gets_the_share_of_its_weight() -> None:
    counts = Counter(chosen_by_many({"replica1": 1, "replica2": 2, "replica3": 5}))
    shares = {name: count / 20_000 for name, count in counts.items()}
    assert shares == pytest.approx({"replica1": 0.125, "replica2": 0.25, "replica3": 0.625}, abs=0.01)


def test_a_replica_that_joins_takes_its_share_and_moves_nobody_between_the_others() -> None:
    before = chosen_by_many({"replica1": 1, "replica2": 1, "replica3": 1})
    after = chosen_by_many({"replica1": 1, "replica2": 1, "replica3": 1, "replica4": 1})
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) == {"replica4"}
    assert len(moved) / 20_000 == pytest.approx(0.25, abs=0.01)


@given(actor=NAMES, weight=st.integers(min_value=1, max_value=1000))
def test_a_replica_that_gains_weight_gives_up_nobody(actor: str, weight: int) -> None:
    weights = {"replica1": weight, "replica2": 10}
    if choose(weights, actor) == "replica1":
        assert choose(weights | {"replica1": weight + 1}, actor) == "replica1"


@given(actor=NAMES)
def test_the_order_of_the_replicas_does_not_matter(actor: str) -> None:
    assert choose({"a": 1, "b": 2, "c": 3}, actor) == choose({"c": 3, "b": 2, "a": 1}, actor)


def test_a_replica_of_weight_0_gets_nobody() -> None:
    assert set(chosen_by_many({"replica1": 1, "replica2": 0})) == {"replica1"}


@pytest.mark.parametrize("weights", [{}, {"replica1": 0}, {"replica1": 0, "replica2": 0}])
def test_without_any_weight_there_is_no_choice(weights: dict[str, int]) -> None:
    assert choose(weights, "actor") is None


@pytest.mark.parametrize("digest", [0, 2**64 - 1], ids=["lowest", "highest"])
def test_the_extreme_hashes_have_a_choice_too(digest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucketing, "_hash", lambda *_: digest)
    assert choose({"replica1": 1}, "actor") == "replica1"
