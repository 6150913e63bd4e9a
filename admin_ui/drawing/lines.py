"""The geometry of lines over time, drawn one small chart below the other. Pure.

Coordinates along the time are percentages: what is drawn there keeps its shape however wide the page is. The paths,
which SVG takes in numbers only, are in a drawing of their own that is stretched.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.utils import timezone

from admin_ui.drawing.figures import clock
from admin_ui.drawing.windows import Window

WIDTH = 1000
HEIGHT = 100
TIME_LABELS = 4
_DAY_SECONDS = 86_400
_ROUND = (1.0, 2.0, 5.0, 10.0)

Point = tuple[float, float | None]
"""A share of the window's length, 0 to 1, and a value, None where there is none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `style` is the CSS class that the path and its entry in the legend carry.

    values: what is said of each bucket of the window, None where there is nothing to say.
    """

    label: str
    style: str
    points: tuple[Point, ...]
    values: tuple[float | None, ...]

    @property
    def highest(self) -> float:
        return max((value for _, value in self.points if value is not None), default=0.0)

    @property
    def is_empty(self) -> bool:
        return all(value is None for _, value in self.points)


@dataclass(frozen=True, slots=True)
class Path:
    """A line as SVG draws it."""

    label: str
    style: str
    d: str


@dataclass(frozen=True, slots=True)
class Hover:
    """What is said of one bucket: the place in percent of the width, and the words."""

    x: str
    width: str
    words: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the charts. value_labels: of the ends of the value axis, the upper one first.

    summary: what is said in its place to those who do not see it.
    """

    title: str
    paths: tuple[Path, ...]
    value_labels: tuple[str, str]
    hovers: tuple[Hover, ...]
    summary: str
    is_empty: bool


def panel(title: str, window: Window, lines: Sequence[Line], write: Callable[[float], str]) -> Panel:
    """Draw lines on one value axis from 0 to a round number at or above all of them.

    write: puts a value into words.
    """
    top = ceiling(max((line.highest for line in lines), default=0.0))
    step = 100 / len(window.buckets)
    by_time = zip(window.buckets, zip(*(line.values for line in lines), strict=True), strict=True)
    hovers = (
        Hover(_number(index * step), _number(step), _words(moment(start, window), lines, found, write))
        for index, (start, found) in enumerate(by_time)
        if any(value is not None for value in found)
    )
    return Panel(
        title=title,
        paths=tuple(Path(line.label, line.style, path(line.points, top)) for line in lines if not line.is_empty),
        value_labels=(write(top), write(0.0)),
        hovers=tuple(hovers),
        summary=f"{title}. {'; '.join(_summary(line, write) for line in lines)}.",
        is_empty=all(line.is_empty for line in lines),
    )


def by_bucket(label: str, style: str, values: Sequence[float | None]) -> Line:
    """Return the line of one value for each bucket, drawn in the middle of it."""
    points = (((index + 0.5) / len(values), value) for index, value in enumerate(values))
    return Line(label, style, tuple(points), tuple(values))


def by_steps(label: str, style: str, steps: Iterable[tuple[datetime, float | None]], window: Window) -> Line:
    """Return the line of a value that stays until the next step: from when, oldest first, and what it is from then."""
    steps = tuple(steps)
    points: list[Point] = []
    for at, value in steps:
        x = place(at, window)
        if points:
            points.append((x, points[-1][1]))
        points.append((x, value))
    if points:
        points.append((place(window.now, window), points[-1][1]))
    return Line(label, style, tuple(points), tuple(_at_ends(steps, window)))


def _at_ends(steps: Sequence[tuple[datetime, float | None]], window: Window) -> Iterator[float | None]:
    """Yield what the value is at the end of each bucket."""
    for start in window.buckets:
        end = start + timedelta(seconds=window.bucket_seconds)
        yield next((value for at, value in reversed(steps) if at < end), None)


def path(points: Iterable[Point], top: float) -> str:
    """Return the points as the `d` of a path, interrupted where there is no value. A value by itself is a dot."""
    pieces = groupby(points, lambda point: point[1] is not None)
    return " ".join(_piece(piece, top) for is_known, piece in pieces if is_known)


def _piece(points: Iterable[Point], top: float) -> str:
    places = [f"{_number(x * WIDTH)},{_number(HEIGHT * (1 - min((value or 0.0) / top, 1.0)))}" for x, value in points]
    return f"M{' L'.join(places)}" if len(places) > 1 else f"M{places[0]} h0"


def place(at: datetime, window: Window) -> float:
    """Return where a moment lies in the window, as a share of its length; what is outside lies at the near end."""
    share = (at - window.starts_at) / (window.ends_at - window.starts_at)
    return min(max(share, 0.0), 1.0)


def percent_of_width(share: float) -> str:
    """Write a place as SVG wants it."""
    return f"{_number(100 * share)}%"


def ceiling(highest: float) -> float:
    """Return the round number at or above `highest` where a value axis ends; 1 for nothing."""
    if highest <= 0:
        return 1.0
    magnitude = 1.0
    while magnitude > highest:
        magnitude /= 10
    while magnitude * 10 < highest:
        magnitude *= 10
    return next((step * magnitude for step in _ROUND if step * magnitude >= highest), 10 * magnitude)


def time_labels(window: Window) -> tuple[str, ...]:
    """Return labels at equal distances: times of the day, or days where the window has many."""
    length = window.ends_at - window.starts_at
    return tuple(moment(window.starts_at + length * index / (TIME_LABELS - 1), window) for index in range(TIME_LABELS))


def moment(at: datetime, window: Window) -> str:
    """Write a time as finely as the window needs it: 03:15, or 23 Nov 03:15 in one that is longer than a day."""
    is_long = (window.now - window.starts_at).total_seconds() >= 2 * _DAY_SECONDS
    return f"{timezone.localtime(at):%d %b} {clock(at)}" if is_long else clock(at)


def _words(label: str, lines: Sequence[Line], values: Sequence[float | None], write: Callable[[float], str]) -> str:
    told = (f"{line.label} {write(value)}" for line, value in zip(lines, values, strict=True) if value is not None)
    return "\n".join([label, *told])


def _summary(line: Line, write: Callable[[float], str]) -> str:
    known = [value for _, value in line.points if value is not None]
    if not known:
        return f"{line.label}: nothing known"
    return f"{line.label}: from {write(min(known))} to {write(max(known))}, at last {write(known[-1])}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
