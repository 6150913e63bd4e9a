"""A rule's history as charts below each other on one axis of time, with what happened marked in all of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from admin_ui.drawing.figures import clock
from admin_ui.drawing.lines import Line, Panel, by_bucket, by_steps, moment, panel, percent_of_width, place, time_labels
from admin_ui.drawing.windows import Window
from admin_ui.rule_page.happenings import Happening, happenings
from admin_ui.rule_page.lengths import Length
from admin_ui.rule_page.series import ArmBucket, Series, read_series
from admin_ui.rule_page.shares import KILL, Present, shares
from rollout.models import Event, RolloutPlan, RoutingRule
from tasks.reporting.words import grouped, milliseconds, percent

MOST_EVENTS = 500
LONGEST_LIST = 15

REPLICA, PRIMARY = "rs-line--replica", "rs-line--primary"
THIN = "rs-line--thin"


@dataclass(frozen=True, slots=True)
class Mark:
    """A happening in the charts. x: its place, in percent of the width."""

    x: str
    sort: str
    sign: str
    words: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """One bucket as text, for those who do not see the charts."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One happening as text. when: written as finely as the window needs it."""

    when: str
    at: datetime
    sign: str
    sort: str
    word: str
    words: str
    who: str


@dataclass(frozen=True, slots=True)
class History:
    """Everything that is drawn of one length of time. columns, table: the charts as text.

    has_more: whether more happened than is listed.
    """

    length: Length
    window: Window
    panels: tuple[Panel, ...]
    marks: tuple[Mark, ...]
    happened: tuple[HistoryRow, ...]
    has_more: bool
    time_labels: tuple[str, ...]
    columns: tuple[str, ...]
    table: tuple[TableRow, ...]


def read_history(present: Present, plans: Iterable[RolloutPlan], length: Length, now: datetime, using: str) -> History:
    """Read what was counted and what happened, in three queries. Raises what the database raises."""
    window = length.window(now)
    events = read_events(present.rule, plans, window, using)
    return draw(present, read_series(present.rule, window, using), events, length, window)


def read_events(rule: RoutingRule, plans: Iterable[RolloutPlan], window: Window, using: str) -> list[Event]:
    """Return the newest events of the window that concern the rule: its own, and those of gate, plans, kill switch."""
    subjects = Q(subject_kind=KILL[0], subject=KILL[1]) | Q(subject_kind="rule", subject=str(rule))
    subjects |= Q(subject_kind="plan", subject__in=[f"{plan.pk} of {rule}" for plan in plans])
    if rule.gate_kind:
        subjects |= Q(subject_kind=rule.gate_kind, subject=rule.gate_name)
    found = Event.objects.using(using).filter(subjects, at__gte=window.starts_at)
    return list(found.order_by("-at", "-pk")[:MOST_EVENTS])


def draw(present: Present, series: Series, events: Sequence[Event], length: Length, window: Window) -> History:
    """Draw what was read. Pure."""
    happened = happenings(events)
    # What was before the oldest event that was read is not known if there are more.
    since = events[-1].at if len(events) == MOST_EVENTS else window.starts_at
    share = by_steps("Let go to replicas", REPLICA, shares(present, events, since), window)
    lines = ((share,), _errors(series), _latencies(series), _ages(series))
    panels = (
        panel("Share of actors", window, lines[0], _whole_percent),
        panel("Errors", window, lines[1], percent),
        panel("Latency", window, lines[2], _seconds),
        panel("Lag and staleness", window, lines[3], _seconds),
    )
    return History(
        length=length,
        window=window,
        panels=panels,
        marks=tuple(_mark(each, window) for each in reversed(happened)),
        happened=tuple(_row(each, window) for each in happened[:LONGEST_LIST]),
        has_more=len(happened) > LONGEST_LIST,
        time_labels=time_labels(window),
        columns=(
            *(f"{one.title}, {line.label}" for one, of in zip(panels, lines, strict=True) for line in of),
            "Units on replicas",
            "Units on the primary",
        ),
        table=tuple(_table(window, lines, series)),
    )


def _errors(series: Series) -> tuple[Line, ...]:
    return (
        by_bucket("primary", PRIMARY, [each.error_share for each in series.primary]),
        by_bucket("replicas", REPLICA, [each.error_share for each in series.replica]),
    )


def _latencies(series: Series) -> tuple[Line, ...]:
    return (
        by_bucket("primary, median", f"{PRIMARY} {THIN}", [each.p50 for each in series.primary]),
        by_bucket("replicas, median", f"{REPLICA} {THIN}", [each.p50 for each in series.replica]),
        by_bucket("primary, 95th percentile", PRIMARY, [each.p95 for each in series.primary]),
        by_bucket("replicas, 95th percentile", REPLICA, [each.p95 for each in series.replica]),
    )


def _ages(series: Series) -> tuple[Line, ...]:
    return (
        by_bucket("lag of the replica furthest behind", REPLICA, series.lag),
        by_bucket("staleness of stale shadow reads, 95th percentile", f"rs-line--stale {THIN}", series.staleness),
    )


def _table(window: Window, lines: Sequence[Sequence[Line]], series: Series) -> Iterator[TableRow]:
    writers = (_whole_percent, percent, _seconds, _seconds)
    for index, start in enumerate(window.buckets):
        values = [(write, line.values[index]) for write, of in zip(writers, lines, strict=True) for line in of]
        units = (series.replica[index], series.primary[index])
        if any(value is not None for _, value in values[1:]) or any(map(_has_units, units)):
            cells = ["" if value is None else write(value) for write, value in values]
            yield TableRow(moment(start, window), (*cells, *(grouped(each.units) for each in units)))


def _has_units(bucket: ArmBucket) -> bool:
    return bool(bucket.units)


def _mark(happening: Happening, window: Window) -> Mark:
    sort = happening.sort
    words = f"{clock(happening.at)} {sort.word}: {happening.words}"
    return Mark(percent_of_width(place(happening.at, window)), sort.value, sort.sign, words)


def _row(happening: Happening, window: Window) -> HistoryRow:
    sort = happening.sort
    when = moment(happening.at, window)
    return HistoryRow(when, happening.at, sort.sign, sort.value, sort.word, happening.words, happening.who)


def _whole_percent(value: float) -> str:
    return f"{value:g} %"


def _seconds(value: float) -> str:
    return milliseconds(value * 1000)
