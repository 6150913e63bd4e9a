"""Positions, without a server and with one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.cluster import Cluster
from routers.positions import PAGE_BYTES, Floor, Position, format_lsn, parse_lsn, settle_lsn

LSNS = st.integers(0, 2**64 - 1)
POSITIONS = st.builds(Position, st.integers(1, 2), st.integers(1, 2), LSNS)
FLOORS = st.builds(Floor, st.just(7), st.just(1), LSNS, LSNS, st.floats(0, 1e10))
"""Floors of one history."""


@given(LSNS)
def test_what_is_written_is_read_again(lsn: int) -> None:
    assert parse_lsn(format_lsn(lsn)) == lsn


@pytest.mark.parametrize("text", ["", "0", "0/", "/0", "0/0/0", "g/0", "1 0/0", "100000000/0", "0/100000000", "-1/0"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"position|invalid literal"):
        parse_lsn(text)


def test_an_older_segment_with_a_larger_offset_is_older() -> None:
    assert parse_lsn("1/FFFFFFFF") < parse_lsn("2/0")


@given(LSNS, LSNS)
def test_positions_of_one_history_compare_by_their_byte(one: int, other: int) -> None:
    assert Position(7, 1, one).is_reached_by(Position(7, 1, other)) == (other >= one)


@given(POSITIONS, POSITIONS)
def test_positions_of_different_histories_are_never_reached(one: Position, other: Position) -> None:
    if (one.system, one.timeline) != (other.system, other.timeline):
        assert not one.is_reached_by(other)
        assert not other.is_reached_by(one)


@given(FLOORS, FLOORS)
def test_a_merged_floor_demands_what_both_demand_and_no_more(one: Floor, other: Floor) -> None:
    merged = one.merge(other)
    assert merged == other.merge(one)
    assert (merged.lsn, merged.clock) == (max(one.lsn, other.lsn), max(one.clock, other.clock))
    assert merged.until == max(one.until, other.until)
    assert merged.is_comparable(one)
    assert one.merge(one) == one


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        (Floor(7, 1, lsn=90), Floor(7, 2, lsn=10), True),
        (Floor(7, 1, lsn=90), Floor(7, 3, clock=10), True),
        (Floor(7, 1, lsn=10), Floor(7, 1, lsn=90), False),
        (Floor(7, 2, lsn=10), Floor(7, 1, lsn=90), False),
        (Floor(7, 1, lsn=10), Floor(8, 2, lsn=90), False),
    ],
)
def test_a_floor_is_part_of_a_history_that_was_promoted_from_its_own(
    earlier: Floor, later: Floor, expected: bool
) -> None:
    assert earlier.is_part_of(later) is expected


def test_floors_and_positions_of_different_histories_do_not_compare() -> None:
    floor = Floor(7, 1, lsn=10)
    assert floor.is_comparable(Position(7, 1, 99))
    assert not floor.is_comparable(Position(7, 2, 99))
    assert not floor.is_comparable(Floor(8, 1, lsn=10))


@given(st.integers(0, 2**30))
def test_settling_moves_only_over_the_header_of_a_page(lsn: int) -> None:
    settled = settle_lsn(lsn)
    assert settled <= lsn
    if settled != lsn:
        assert settled % PAGE_BYTES == 0
    assert settle_lsn(settled) == settled


def test_an_idle_primary_is_always_reached(cluster: Cluster) -> None:
    # Records that end at every offset of a page, among them its very end.
    for size in range(1, 120):
        cluster.primary.query(f"SELECT pg_logical_emit_message(false, 'test', repeat('x', {size * 37}))")
        cluster.primary.query("SELECT pg_logical_emit_message(true, 'test', 'x')")
        ((inserted,),) = cluster.primary.query("SELECT pg_current_wal_insert_lsn()::text")
        cluster.wait_for_replay()
        for replica in cluster.replicas:
            ((replayed,),) = replica.query("SELECT pg_last_wal_replay_lsn()::text")
            assert parse_lsn(replayed) >= settle_lsn(parse_lsn(inserted)), (inserted, replayed)
