"""Where reads ran, read from the tallies into frozen values. Three queries, whatever the number of rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django.db.models import F, Q, QuerySet, Sum

from admin_ui.drawing.charts import Series, StackedChart, colours, stacked
from admin_ui.drawing.figures import share_of
from admin_ui.drawing.windows import SpanCount, Window, spread
from rollout.models import Tally, TallyKind
from rollout.options import Settings
from rollout.reasons import Reason

LONGEST_LIST = 12
"""Endpoints that the page lists, the busiest first."""

ON_PRIMARY = Q(alias=F("cluster"))


@dataclass(frozen=True, slots=True)
class DatabaseReads:
    """One line of the legend, which is also the table by database."""

    alias: str
    colour: str
    is_primary: bool
    count: int
    share: Decimal


@dataclass(frozen=True, slots=True)
class EndpointReads:
    """One endpoint's reads. `observed` are reads on the primary that a replica would have served."""

    endpoint: str
    total: int
    on_primary: int
    on_each_replica: tuple[int, ...]
    observed: int

    @property
    def share_on_replicas(self) -> Decimal:
        return share_of(self.total - self.on_primary, self.total)


@dataclass(frozen=True, slots=True)
class ReasonReads:
    """How many reads one reason kept on the primary, and its share of all that stayed there."""

    code: str
    label: str
    count: int
    share: Decimal


@dataclass(frozen=True, slots=True)
class Distribution:
    """All that the page shows about where reads ran in one window of time."""

    window: Window
    chart: StackedChart
    databases: tuple[DatabaseReads, ...]
    replicas: tuple[str, ...]
    endpoints: tuple[EndpointReads, ...]
    has_more_endpoints: bool
    reasons: tuple[ReasonReads, ...]

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


def read_distribution(now: datetime, minutes: int, settings: Settings, using: str) -> Distribution:
    """Read the last minutes from one alias. Raises what the database raises, before migrate above all."""
    window = Window.until(now, minutes)
    # Rows of an hour can only be here if they were merged early; a row counts where it starts.
    reads = Tally.objects.using(using).filter(kind=TallyKind.READ, starts_at__range=(window.starts_at, window.ends_at))
    spans = list(reads.values_list("cluster", "alias", "starts_at", "span_seconds").annotate(reads=Sum("count")))
    counts = spread((SpanCount(alias, start, seconds, count) for _, alias, start, seconds, count in spans), window)
    series = _series(settings, {(cluster, alias) for cluster, alias, *_ in spans}, counts, (0,) * len(window.buckets))
    replicas = tuple(one.alias for one in series if not one.is_primary)
    endpoints = tuple(_endpoints(reads, replicas))
    total = sum(one.total for one in series)
    return Distribution(
        window=window,
        chart=stacked(window, series),
        databases=tuple(
            DatabaseReads(one.alias, one.colour, one.is_primary, one.total, share_of(one.total, total))
            for one in series
        ),
        replicas=replicas,
        endpoints=endpoints[:LONGEST_LIST],
        has_more_endpoints=len(endpoints) > LONGEST_LIST,
        reasons=tuple(_reasons(reads)),
    )


def _series(
    settings: Settings, seen: set[tuple[str, str]], counts: Mapping[str, tuple[int, ...]], idle: tuple[int, ...]
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


def _endpoints(reads: QuerySet[Tally], replicas: tuple[str, ...]) -> Iterable[EndpointReads]:
    each = {f"replica_{index}": Sum("count", filter=Q(alias=alias), default=0) for index, alias in enumerate(replicas)}
    rows = (
        reads.values("endpoint")
        .annotate(
            reads=Sum("count"),
            primary_reads=Sum("count", filter=ON_PRIMARY, default=0),
            observed_reads=Sum("count", filter=ON_PRIMARY & ~Q(candidate=""), default=0),
            **each,
        )
        .order_by("-reads", "endpoint")[: LONGEST_LIST + 1]
    )
    for row in cast("Iterable[dict[str, Any]]", rows):
        yield EndpointReads(
            endpoint=row["endpoint"],
            total=row["reads"],
            on_primary=row["primary_reads"],
            on_each_replica=tuple(row[name] for name in each),
            observed=row["observed_reads"],
        )


def _reasons(reads: QuerySet[Tally]) -> Iterable[ReasonReads]:
    rows = list(reads.filter(ON_PRIMARY).values_list("reason").annotate(reads=Sum("count")).order_by("-reads"))
    stayed = sum(count for _, count in rows)
    for reason, count in rows:
        label = Reason(reason).label if reason in Reason.values else reason
        yield ReasonReads(reason, str(label), count, share_of(count, stayed))
