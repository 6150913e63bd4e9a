"""Since when counters count, and which endpoints have series of their own."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.metrics.endpoints import DAY, HOUR, began_at, naming, period
from admin_ui.metrics.families import OTHER

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = st.sampled_from("abcdefgh")


@pytest.mark.parametrize(("days", "length"), [(30, DAY), (2, DAY), (1.9, HOUR), (0.01, HOUR)])
def test_what_is_counted_is_never_old_enough_to_be_deleted(days: float, length: timedelta) -> None:
    assert period(days) == length


def test_all_processes_begin_at_the_same_moment() -> None:
    assert began_at(MIDNIGHT + timedelta(hours=23, minutes=59), DAY) == MIDNIGHT
    assert began_at(MIDNIGHT + DAY, DAY) == MIDNIGHT + DAY
    assert began_at(MIDNIGHT + timedelta(hours=5, minutes=7), HOUR) == MIDNIGHT + timedelta(hours=5)


def test_as_many_as_may_have_series_have_them_without_a_look_at_the_day_before() -> None:
    name = naming({"a": MIDNIGHT, "b": MIDNIGHT}, 2, lambda: pytest.fail("nobody needs to know"))
    assert (name("a"), name("b")) == ("a", "b")


def test_the_busiest_of_the_day_before_come_first_and_then_whoever_came_first() -> None:
    seen = {"late": MIDNIGHT + timedelta(hours=3), "soon": MIDNIGHT, "idle": MIDNIGHT, "busy": MIDNIGHT + HOUR}
    name = naming(seen, 3, lambda: {"busy": 900, "idle": 1})
    assert {each: name(each) for each in seen} == {"late": OTHER, "soon": "soon", "idle": "idle", "busy": "busy"}


@given(
    st.lists(st.tuples(NAMES, st.integers(0, 50), st.integers(1, 9)), max_size=30),
    st.dictionaries(NAMES, st.integers(1, 9)),
    st.integers(1, 6),
)
def test_the_others_are_never_fewer_than_before(
    rows: list[tuple[str, int, int]], before: dict[str, int], most: int
) -> None:
    seen: dict[str, datetime] = {}
    counted: Counter[str] = Counter()
    others = 0
    for endpoint, minutes, count in sorted(rows, key=lambda row: row[1] // 12):
        at = MIDNIGHT + minutes * timedelta(minutes=5)
        seen[endpoint] = min(at, seen.get(endpoint, at))
        counted[endpoint] += count
        name = naming(seen, most, lambda: before)
        assert len({name(each) for each in seen} - {OTHER}) <= most
        following = sum(number for each, number in counted.items() if name(each) == OTHER)
        assert following >= others
        others = following
