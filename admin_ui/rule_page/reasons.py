"""Why reads of one rule ran on the primary, in one query."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Case, F, Q, Sum, Value, When

from admin_ui.drawing.figures import share_of
from rollout.models import RoutingRule, Tally, TallyKind, TargetKind
from rollout.reasons import Reason
from tasks.reporting.words import grouped

WINDOW = timedelta(hours=1)
"""Tallies can be found by time alone, so more of it would be paid for by reading those of all rules."""

MANY = 3

_ON_PRIMARY = Q(alias=F("cluster"))


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """where: the models of an endpoint's reads, or the endpoints of a model's, the most frequent first."""

    label: str
    count: int
    share: Decimal
    where: str


@dataclass(frozen=True, slots=True)
class ReasonsOfRule:
    """rows: why reads used the primary, the most frequent reason first. total: all reads of the rule's target."""

    total: int
    on_primary: int
    rows: tuple[ReasonRow, ...]

    @property
    def share_on_replicas(self) -> Decimal:
        return share_of(self.total - self.on_primary, self.total)


def read_reasons(rule: RoutingRule, now: datetime, using: str) -> ReasonsOfRule:
    """Read the last hour. Raises what the database raises."""
    own, other = ("model", "endpoint") if rule.target_kind == TargetKind.MODEL else ("endpoint", "model")
    reads = Tally.objects.using(using).filter(kind=TallyKind.READ, starts_at__gte=now - WINDOW, **{own: rule.target})
    places = ("reason", other, "is_on_primary")
    counted = reads.annotate(is_on_primary=Case(When(_ON_PRIMARY, then=Value(True)), default=Value(False)))
    return add_up(counted.values_list(*places).annotate(total=Sum("count")))


def add_up(counted: Iterable[tuple[str, str, bool, int]]) -> ReasonsOfRule:
    """Return the reasons from counts by reason, model or endpoint, and whether it was the primary. Pure."""
    by_reason: defaultdict[str, dict[str, int]] = defaultdict(dict)
    total = 0
    for reason, where, is_on_primary, count in counted:
        total += count
        if is_on_primary:
            by_reason[reason][where] = by_reason[reason].get(where, 0) + count
    on_primary = sum(sum(places.values()) for places in by_reason.values())
    ordered = sorted(by_reason.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    rows = (
        ReasonRow(
            label=str(Reason(reason).label) if reason in Reason.values else reason,
            count=sum(places.values()),
            share=share_of(sum(places.values()), on_primary),
            where=_where(places),
        )
        for reason, places in ordered
    )
    return ReasonsOfRule(total, on_primary, tuple(rows))


def _where(places: dict[str, int]) -> str:
    most = sorted(places.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{name or '(none)'} {grouped(count)}" for name, count in most[:MANY])
    return f"{named} and {len(most) - MANY} more" if len(most) > MANY else named
