"""Where reads ran, from the sums of the tallies. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from admin_ui.drawing.charts import Series, StackedChart, colours, stacked
from admin_ui.drawing.figures import share_of
from admin_ui.drawing.windows import Window, spread
from admin_ui.overview.breakdown import Breakdown, breakdown
from admin_ui.overview.counts import Counts
from rollout.options import Settings
from rollout.reasons import Cause, Reason


@dataclass(frozen=True, slots=True)
class DatabaseReads:
    """One line of the legend, which is also the table by database. per_second: within the last bucket that is full."""

    alias: str
    colour: str
    is_primary: bool
    count: int
    share: Decimal
    per_second: float


@dataclass(frozen=True, slots=True)
class ReasonReads:
    """How many reads one reason kept on the primary, and its share of all that stayed there."""

    code: str
    label: str
    count: int
    share: Decimal


@dataclass(frozen=True, slots=True)
class Replays:
    """How many reads one server failed to answer for one cause, and which server answered them instead."""

    alias: str
    cause: str
    answered_by: str
    count: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """All that the page shows about where reads ran in one window of time."""

    window: Window
    chart: StackedChart
    databases: tuple[DatabaseReads, ...]
    replicas: tuple[str, ...]
    endpoints: Breakdown
    models: Breakdown
    reasons: tuple[ReasonReads, ...]
    replays: tuple[Replays, ...]

    @property
    def total(self) -> int:
        return sum(database.count for database in self.databases)

    @property
    def on_replicas(self) -> int:
        return sum(database.count for database in self.databases if not database.is_primary)

    @property
    def share_on_replicas(self) -> Decimal:
        return share_of(self.on_replicas, self.total)

    @property
    def with_foreign_token(self) -> int:
        """How many reads the primary served because of a token that is forged, cut short or signed by somebody else."""
        return sum(reason.count for reason in self.reasons if reason.code == Reason.FOREIGN_TOKEN)

    @property
    def share_with_foreign_token(self) -> Decimal:
        """Their share of all reads, those on replicas included."""
        return share_of(self.with_foreign_token, self.total)

    @property
    def breakdowns(self) -> tuple[Breakdown, ...]:
        return self.endpoints, self.models


def distribution(window: Window, counts: Counts, settings: Settings) -> Distribution:
    """Return what the page says of these counts."""
    size = len(window.buckets)
    series = _series(settings, counts.databases, spread(counts.spans, window), (0,) * size)
    primaries = frozenset(one.alias for one in series if one.is_primary)
    replicas = tuple(one.alias for one in series if not one.is_primary)
    total = sum(one.total for one in series)
    return Distribution(
        window=window,
        chart=stacked(window, series),
        databases=tuple(
            DatabaseReads(
                one.alias,
                one.colour,
                one.is_primary,
                one.total,
                share_of(one.total, total),
                per_second=one.counts[-2] / window.bucket_seconds if size > 1 else 0.0,
            )
            for one in series
        ),
        replicas=replicas,
        endpoints=breakdown("endpoint", counts.endpoints, primaries, replicas),
        models=breakdown("model", counts.models, primaries, replicas),
        reasons=tuple(_reasons(counts.reasons)),
        replays=tuple(_replays(counts.replays)),
    )


def _series(
    settings: Settings, seen: Iterable[tuple[str, str]], counts: Mapping[str, tuple[int, ...]], idle: tuple[int, ...]
) -> tuple[Series, ...]:
    """Return configured databases in their order, idle ones too, then those that only old rows know."""
    primaries = dict.fromkeys([*settings.clusters, *sorted(cluster for cluster, alias in seen if cluster == alias)])
    others = sorted(alias for cluster, alias in seen if cluster != alias)
    replicas = [alias for alias in dict.fromkeys([*settings.replicas, *others]) if alias not in primaries]
    colour = colours(list(primaries), replicas)
    return tuple(
        Series(alias, colour[alias], is_primary=alias in primaries, counts=counts.get(alias, idle))
        for alias in [*primaries, *replicas]
    )


def _reasons(counts: Counter[str]) -> Iterator[ReasonReads]:
    for code, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        label = Reason(code).label if code in Reason.values else code
        yield ReasonReads(code, str(label), count, share_of(count, counts.total()))


def _replays(counts: Counter[tuple[str, str, str]]) -> Iterator[Replays]:
    """Return the most frequent of each server first."""
    ordered = sorted(counts.items(), key=lambda one: (one[0][0], -one[1], one[0][1:]))
    for (alias, code, answered_by), count in ordered:
        yield Replays(alias, str(Cause(code).label) if code in Cause.values else code, answered_by, count)
