"""The geometry of lines over time."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_ui.drawing.lines import HEIGHT, WIDTH, by_bucket, by_steps, ceiling, moment, panel, path, place, time_labels
from admin_ui.drawing.windows import Window

NOW = datetime(2026, 11, 23, 3, 12, 47, tzinfo=UTC)
WINDOW = Window.until(NOW, 15)
SIZE = len(WINDOW.buckets)


def write(value: float) -> str:
    return f"{value:g} s"


def test_a_line_is_interrupted_where_nothing_is_known_and_a_lone_value_is_a_dot() -> None:
    points = [(0.0, 1.0), (0.1, 0.5), (0.2, None), (0.3, 0.0), (0.4, None)]
    assert path(points, 1.0) == "M0,0 L100,50 M300,100 h0"


def test_what_is_above_the_axis_ends_at_it() -> None:
    assert path([(0.0, 7.0), (1.0, 1.0)], 1.0) == "M0,0 L1000,0"


def test_nothing_known_draws_nothing_and_says_so() -> None:
    drawn = panel("Lag", WINDOW, [by_bucket("lag", "x", [None] * SIZE)], write)
    assert drawn.is_empty
    assert (drawn.paths, drawn.hovers) == ((), ())
    assert drawn.summary == "Lag. lag: nothing known."
    assert drawn.value_labels == ("1 s", "0 s")


def test_a_bucket_says_what_each_line_has_in_it() -> None:
    first, second, rest = [None, 3.0, None], [None, 4.0, 5.0], [None] * (SIZE - 3)
    drawn = panel("Lag", WINDOW, [by_bucket("a", "x", [*first, *rest]), by_bucket("b", "y", [*second, *rest])], write)
    assert [hover.words for hover in drawn.hovers] == ["02:57\na 3 s\nb 4 s", "02:58\nb 5 s"]
    assert drawn.summary == "Lag. a: from 3 s to 3 s, at last 3 s; b: from 4 s to 5 s, at last 5 s."


def test_steps_stay_until_the_next_one_and_up_to_now() -> None:
    half = WINDOW.starts_at + (WINDOW.ends_at - WINDOW.starts_at) / 2
    line = by_steps("share", "x", [(WINDOW.starts_at, 0.0), (half, 50.0)], WINDOW)
    assert line.points[:3] == ((0.0, 0.0), (0.5, 0.0), (0.5, 50.0))
    assert line.points[3] == (place(NOW, WINDOW), 50.0)
    assert (line.values[0], line.values[-1]) == (0.0, 50.0)


def test_a_step_within_a_bucket_is_what_the_bucket_ends_with() -> None:
    later = WINDOW.starts_at + timedelta(seconds=10)
    line = by_steps("share", "x", [(WINDOW.starts_at, 0.0), (later, None), (later + timedelta(seconds=1), 7.0)], WINDOW)
    assert line.values[0] == 7.0
    assert by_steps("share", "x", [], WINDOW).values == (None,) * SIZE


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 1), (0.0031, 0.005), (0.2, 0.2), (1, 1), (1.1, 2), (7, 10), (10, 10), (11, 20), (2400, 5000)],
)
def test_the_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert ceiling(highest) == pytest.approx(top)


@given(st.floats(1e-9, 1e9))
def test_the_axis_ends_above_and_not_far_above(highest: float) -> None:
    assert highest * (1 - 1e-9) <= ceiling(highest) <= highest * 2.5 * (1 + 1e-9)


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(0, 1e6), min_size=SIZE, max_size=SIZE))
def test_a_line_lies_within_the_drawing(values: list[float | None]) -> None:
    drawn = panel("Lag", WINDOW, [by_bucket("lag", "x", values)], write)
    numbers = re.findall(r"([\d.]+),([\d.]+)", " ".join(one.d for one in drawn.paths))
    assert len(numbers) == sum(value is not None for value in values) == len(drawn.hovers)
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in numbers)


def test_times_are_written_as_finely_as_the_window_needs_them() -> None:
    assert time_labels(WINDOW)[0] == "02:57"
    week = Window(7 * 24 * 60, NOW - timedelta(days=7), NOW, 7_200)
    assert moment(NOW, week) == "23 Nov 03:12"
    assert time_labels(week)[0] == "16 Nov 03:12"


def test_what_is_outside_lies_at_the_near_end() -> None:
    assert place(NOW - timedelta(days=1), WINDOW) == 0.0
    assert place(NOW + timedelta(days=1), WINDOW) == 1.0
