"""Whether the rest of a pool could carry a larger share if its busiest replica went."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.capacity import check


def test_a_pool_with_room_goes_on_and_says_what_it_rests_on() -> None:
    found = check({"a": 300, "b": 200}, {"a": 900, "b": 1100}, 2.0)
    assert found.refusal == ""
    assert found.note == "Without a, b would serve 1,000 of the 1,100 reads a second that can be carried."


def test_a_pool_without_room_names_the_replica_the_load_and_what_is_missing() -> None:
    found = check({"a": 300, "b": 200}, {"a": 900, "b": 900}, 2.0)
    assert found.refusal.startswith(
        "If a goes, b would serve 1,000 reads a second after the step, and it can carry 900"
    )
    assert "100 are missing" in found.refusal


def test_the_busiest_replica_is_the_one_that_goes() -> None:
    assert "If b goes, a would serve 500" in check({"a": 200, "b": 300}, {"a": 100, "b": 900}, 1.0).refusal


def test_a_small_replica_with_a_large_share_is_found_out_though_all_together_had_room() -> None:
    found = check({"a": 500, "b": 250, "c": 250}, {"a": 900, "b": 2000, "c": 400}, 1.0)
    assert "c would serve 500 reads a second, and it can carry 400: 100 are missing. Add a replica." in found.refusal


@pytest.mark.parametrize(("factor", "is_refused"), [(1.0, False), (1.01, True)])
def test_replicas_that_serve_nothing_yet_take_over_by_what_they_can_carry(factor: float, is_refused: bool) -> None:
    found = check({"a": 600}, {"a": 900, "b": 400, "c": 200}, factor)
    assert bool(found.refusal) is is_refused


def test_without_any_stated_capacity_it_goes_on_and_says_so() -> None:
    found = check({"a": 9e9}, {"a": None, "b": None}, 50.0)
    assert found.refusal == ""
    assert "none was checked" in found.note
    assert '"CAPACITY"' in found.note


def test_with_some_capacities_stated_it_asks_for_the_ones_that_matter() -> None:
    found = check({"a": 300, "b": 200, "c": 200}, {"a": 900, "b": None, "c": None}, 1.0)
    assert found.refusal.startswith("Nobody knows whether b and c can do without a")
    assert '"CAPACITY"' in found.refusal
    assert check({"a": 300, "b": 200}, {"a": None, "b": 900}, 1.0).refusal == ""


def test_an_only_replica_leaves_its_load_to_the_primary() -> None:
    assert "fall to the primary" in check({"a": 300}, {"a": 900}, 1.0).refusal
    assert check({"a": 0}, {"a": 900}, 1.0).refusal == ""


LOADS = st.floats(0, 10_000)


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(LOADS, st.floats(1, 10_000)), min_size=2), st.floats(1, 100))
def test_what_is_refused_is_refused_for_any_larger_step_too(pool: dict[str, Any], factor: float) -> None:
    loads = {alias: load for alias, (load, _) in pool.items()}
    capacities = {alias: capacity for alias, (_, capacity) in pool.items()}
    now, later = check(loads, capacities, factor), check(loads, capacities, factor * 2)
    assert bool(now.refusal) <= bool(later.refusal)
    assert bool(now.refusal) is not bool(now.note)
