"""The geometry of the charts. Pure: counts in, strings out, so that no template ever formats a coordinate."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from admin_ui.drawing.figures import measured_share
from admin_ui.drawing.windows import Window
from tasks.reporting.words import grouped

WIDTH = 900
HEIGHT = 200
GAP = 0.18
"""The share of a bucket's width that is left empty between two bars."""

TIME_LABELS = 4
REPLICA_COLOURS = 6
PRIMARY_COLOURS = 2


@dataclass(frozen=True, slots=True)
class Series:
    """One database in the chart. `colour` is the CSS class that both the bars and the legend carry."""

    alias: str
    colour: str
    is_primary: bool
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Bar:
    """One database's part of one bucket."""

    colour: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """One bucket: its bars from the bottom up, what hovering over it shows, and its row in the table."""

    x: str
    width: str
    label: str
    numbers: tuple[str, ...]
    tooltip: str
    is_filling: bool
    bars: tuple[Bar, ...]

    @property
    def cells(self) -> SafeString:
        """Its numbers as cells of the table. A loop of the template's over hundreds takes several times as long."""
        return format_html_join("", "<td>{}</td>", ((number,) for number in self.numbers))


@dataclass(frozen=True, slots=True)
class Shape:
    """All bars of one database as one path, those of the bucket that is filling apart. outline: the path's data."""

    colour: str
    outline: str
    is_filling: bool


@dataclass(frozen=True, slots=True)
class StackedChart:
    """Everything that the template places. The labels of the two axes stand at equal distances, so they need none.

    shapes: the bars of all columns, for a template that is drawn every three seconds.
    """

    view_box: str
    height: str
    series: tuple[Series, ...]
    columns: tuple[Column, ...]
    shapes: tuple[Shape, ...]
    value_labels: tuple[str, ...]
    grid_lines: tuple[str, ...]
    time_labels: tuple[str, ...]
    summary: str
    bucket_words: str
    is_empty: bool


def colours(primaries: Sequence[str], replicas: Sequence[str]) -> dict[str, str]:
    """Return alias -> CSS class. Primaries share the warm colours, replicas the cool ones."""
    return {
        **{alias: f"rs-primary-{index % PRIMARY_COLOURS + 1}" for index, alias in enumerate(primaries)},
        **{alias: f"rs-replica-{index % REPLICA_COLOURS + 1}" for index, alias in enumerate(replicas)},
    }


def ceiling(highest: int) -> int:
    """Return the round, even number at or above `highest` where the value axis ends. At least 2."""
    magnitude = 1
    while True:
        for digit in range(1, 10):
            value = digit * magnitude
            if value >= highest and value % 2 == 0:
                return value
        magnitude *= 10


def stacked(window: Window, series: Sequence[Series]) -> StackedChart:
    """Place one column per bucket and one bar per database with reads in it."""
    buckets = window.buckets
    top = ceiling(max((sum(one.counts[index] for one in series) for index in range(len(buckets))), default=0))
    slot = WIDTH / len(buckets)
    columns = tuple(
        _column(window.label(moment), series, index, slot, top, is_filling=index == len(buckets) - 1)
        for index, moment in enumerate(buckets)
    )
    return StackedChart(
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        height=_number(HEIGHT),
        series=tuple(series),
        columns=columns,
        shapes=tuple(_shapes(columns)),
        value_labels=tuple(grouped(value) for value in (top, top // 2, 0)),
        grid_lines=tuple(_number(y) for y in (0, HEIGHT / 2, HEIGHT)),
        time_labels=_time_labels(window),
        summary=_summary(window, series),
        bucket_words=window.bucket_words,
        is_empty=not any(one.total for one in series),
    )


def _column(label: str, series: Sequence[Series], index: int, slot: float, top: int, *, is_filling: bool) -> Column:
    bars = []
    stacked_so_far = 0
    for one in series:
        count = one.counts[index]
        if not count:
            continue
        stacked_so_far += count
        bars.append(
            Bar(
                colour=one.colour,
                x=_number((index + GAP / 2) * slot),
                y=_number(HEIGHT * (1 - stacked_so_far / top)),
                width=_number(slot * (1 - GAP)),
                height=_number(HEIGHT * count / top),
            )
        )
    label = f"{label} (so far)" if is_filling else label
    return Column(
        x=_number(index * slot),
        width=_number(slot),
        label=label,
        numbers=tuple(grouped(one.counts[index]) for one in series),
        tooltip=_tooltip(label, {one.alias: one.counts[index] for one in series}),
        is_filling=is_filling,
        bars=tuple(bars),
    )


def _shapes(columns: Iterable[Column]) -> Iterator[Shape]:
    outlines: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
    for column in columns:
        for bar in column.bars:
            outlines[bar.colour, column.is_filling].append(f"M{bar.x} {bar.y}h{bar.width}v{bar.height}h-{bar.width}z")
    for (colour, is_filling), parts in outlines.items():
        yield Shape(colour, "".join(parts), is_filling)


def _tooltip(label: str, counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    if not total:
        return f"{label}: no reads"
    parts = [f"{alias} {grouped(count)} ({measured_share(count, total)})" for alias, count in counts.items()]
    return "\n".join([label, *parts])


def _time_labels(window: Window) -> tuple[str, ...]:
    length = window.ends_at - window.starts_at
    return tuple(window.tick(window.starts_at + length * index / (TIME_LABELS - 1)) for index in range(TIME_LABELS))


def _summary(window: Window, series: Sequence[Series]) -> str:
    totals = ", ".join(f"{one.alias} {grouped(one.total)}" for one in series)
    return f"Reads by database, {window.tick(window.starts_at)} to {window.tick(window.now)}: {totals or 'none'}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
