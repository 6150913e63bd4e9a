"""Sums up what all processes and workers have stored about a rule, into windows that guardrails are judged by."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self, cast

from django.db import connections
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL

from rollout.models import ArmCount, ShadowRead, ShadowState, TargetKind
from rollout.rollup import FLUSH_SPAN_SECONDS
from rollout.snapshots import NOTHING_SEEN, Snapshot
from rollout.sums import ArmRow, Sums
from rollout.windows import Window

_UNCHANGED = timedelta(minutes=10)
"""For so long after its comparison nobody changes a shadow read. Clocks of workers may be off by as much."""

SETTLING = timedelta(seconds=10)
"""For so long after a stage has begun, fallbacks do not count. Whom it lets go has just read from the primary, and is
kept there until replicas show as much, which takes a moment and tells nothing of how they will carry the load."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stage of a rollout, as far as what belongs to it goes.

    stage: its number. revision: the lowest revision of the policy that has its share of actors. Units that joined their
    arm under an earlier one belong to the stage before. began_at: when the stage began; shadow reads that were captured
    before do not belong to it.
    """

    target_kind: str
    target: str
    stage: int
    revision: int
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Horizon:
    """Up to where everything was summed up. at: when that was, by the primary's clock."""

    snapshot: Snapshot
    at: datetime

    def as_json(self) -> dict[str, str]:
        """Return it as JSON can hold it."""
        return {"snapshot": str(self.snapshot), "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> Self:
        """Return what `as_json` has stored. Raises KeyError or ValueError for anything else."""
        return cls(Snapshot.parse(stored["snapshot"]), datetime.fromisoformat(stored["at"]))


@dataclass(frozen=True, slots=True)
class Measured:
    """What one look found. window: None when there is nothing new. horizon: from where the next look goes on."""

    window: Window | None
    horizon: Horizon


def measure(period: Period, since: Horizon | None, using: str) -> Measured:
    """Sum up what was stored about a stage since the last look. For the first, `since` is None.

    Whoever stores the horizon in the transaction that acts on the window counts everything exactly once: a row belongs
    to the first look whose snapshot sees the transaction that wrote it, in whatever order processes commit. A look
    never waits for a transaction that is open. Rows of the stages before are passed over for good.

    A look that comes later than `rollout.arm_history.MERGED_AFTER` misses what was merged until then. Raises what the
    database raises.
    """
    horizon = _horizon(using)
    seen = since.snapshot if since is not None else NOTHING_SEEN
    if seen.next > horizon.snapshot.next:
        # The numbers of transactions went back, as in a database that was restored from a dump.
        return Measured(None, horizon)

    def is_new(transaction: int) -> bool:
        return horizon.snapshot.sees(transaction) and not seen.sees(transaction)

    sums = Sums(period.stage)
    arms = _arms(period.target_kind, period.target, using).filter(
        revision__gte=period.revision, span_seconds=FLUSH_SPAN_SECONDS, written_by__gte=seen.oldest
    )
    for written_by, starts_at, *row in arms.values_list("written_by", "starts_at", *ArmRow._fields):
        if is_new(written_by):
            sums.add_arm(_settled(ArmRow(*row), starts_at, period.began_at))
    reads = _shadow_reads(period.target_kind, period.target, using).filter(
        captured_at__gte=period.began_at,
        compared_at__gte=(since.at if since is not None else period.began_at) - _UNCHANGED,
    )
    # The transaction that wrote the row as it is, and so its outcome.
    reads = reads.annotate(written_by=RawSQL("xmin::text::bigint", (), BigIntegerField()))
    for written_by, outcome in reads.values_list("written_by", "outcome"):
        if is_new(horizon.snapshot.whole(written_by)):
            sums.add_shadow(outcome)
    return Measured(sums.window(), horizon)


def recorded(
    target_kind: str,
    target: str,
    since: datetime,
    until: datetime,
    using: str,
    *,
    stage_of: Callable[[int], int] = lambda _: 0,
    span_seconds: int = FLUSH_SPAN_SECONDS,
) -> Iterator[Window]:
    """Yield what was stored about a rule from one time to another, oldest first, for `rollout.judging.backtest`.

    stage_of: the number of the stage that a revision of the policy belongs to. span_seconds: how long a window is.
    What was merged (`rollout.arm_history`) is in windows of a minute at least. A shadow read belongs to the time of its
    comparison, and to the stage that was the latest by then.
    """
    found: dict[tuple[int, int], Sums] = {}
    began_at: dict[int, datetime] = {}
    arms = _arms(target_kind, target, using).filter(starts_at__gte=since, starts_at__lt=until).order_by("starts_at")
    for starts_at, revision, *row in arms.values_list("starts_at", "revision", *ArmRow._fields).iterator():
        stage = stage_of(revision)
        counted = _settled(ArmRow(*row), starts_at, began_at.setdefault(stage, starts_at))
        found.setdefault((_bin(starts_at, span_seconds), stage), Sums(stage)).add_arm(counted)
    known = sorted(found)
    reads = _shadow_reads(target_kind, target, using).filter(compared_at__gte=since, compared_at__lt=until)
    for compared_at, outcome in reads.values_list("compared_at", "outcome").iterator():
        at = _bin(cast("datetime", compared_at), span_seconds)
        before = bisect_right(known, at, key=lambda key: key[0])
        stage = known[max(0, before - 1)][1] if known else 0
        found.setdefault((at, stage), Sums(stage)).add_shadow(outcome)
    for key in sorted(found):
        if window := found[key].window():
            yield window


def _horizon(using: str) -> Horizon:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text, clock_timestamp()")
        snapshot, at = cursor.fetchone()
    return Horizon(Snapshot.parse(snapshot), at)


def _settled(row: ArmRow, starts_at: datetime, began_at: datetime) -> ArmRow:
    """Return what counts of a row of a stage that began then."""
    return row if starts_at - began_at >= SETTLING else row._replace(reads=0, fallbacks=0)


def _arms(kind: str, target: str, using: str) -> QuerySet[ArmCount]:
    return ArmCount.objects.using(using).filter(target_kind=kind, target=target)


def _shadow_reads(kind: str, target: str, using: str) -> QuerySet[ShadowRead]:
    reads = ShadowRead.objects.using(using).filter(state=ShadowState.DONE)
    return reads.filter(model=target) if kind == TargetKind.MODEL else reads.filter(endpoint=target)


def _bin(at: datetime, span_seconds: int) -> int:
    """Return the number of the span that a time lies in."""
    return int(at.timestamp() // span_seconds)
