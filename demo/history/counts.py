"""What all processes counted in that week: reads by database, and how the units of the catalogue's rollout fared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from math import pi, sin
from random import Random
from typing import Any

from demo.history.story import Step
from demo.rules import CATALOGUE
from rollout.models import ArmCount, EndpointCount, Side, Tally, TallyKind, TargetKind
from rollout.reasons import Cause, Reason
from rollout.rollup import FLUSH_SPAN_SECONDS
from rollout.windows import bucket_of

DAYS = 7
FLUSH, MINUTE, HOUR = timedelta(seconds=FLUSH_SPAN_SECONDS), timedelta(minutes=1), timedelta(hours=1)
RECENT = timedelta(minutes=90)
"""What is older is kept by the hour."""

REPLICAS = {"replica1": 0.53, "replica2": 0.47}
BEHIND_SHARE = 0.012
FAILED_SHARE = 0.0004
READS_PER_UNIT = 3
MEASURED_UNITS = 30
SPANS_PER_REPLAY = 20
BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Load:
    """One endpoint's reads of one model. per_minute: on an average day. reason: why they use the primary.

    median_ms: how long a unit takes; 0 where the endpoint's units are counted by another load. with_token: the share of
    its units whose actor has just written.
    """

    endpoint: str
    model: str
    per_minute: int
    reason: Reason
    median_ms: float = 0.0
    with_token: float = 0.02

    @property
    def is_of_the_rollout(self) -> bool:
        return self.reason is Reason.GATE_OFF

    def count(self, span: "Span", random: Random) -> int:
        """Return how many reads a span saw: waves through the day and the hour, and some chance."""
        wave = 1 + 0.25 * sin(2 * pi * span.number / 24) + 0.12 * sin(2 * pi * span.number / 7)
        return round(self.per_minute * (span.lasts / MINUTE) * wave * random.uniform(0.94, 1.06))


CATALOGUE_LOADS = tuple(
    Load(endpoint, "shop.Product", per_minute, Reason.GATE_OFF, median_ms)
    for endpoint, per_minute, median_ms in zip(CATALOGUE, (900, 1_300, 340, 420), (14, 5, 31, 8), strict=True)
)
LOADS = (
    *CATALOGUE_LOADS,
    Load("shop:product-detail", "shop.Review", 650, Reason.OBSERVED),
    Load("shop:order-list", "shop.Order", 260, Reason.OBSERVED, 22, 0.11),
    Load("shop:cart", "shop.Cart", 310, Reason.PINNED, 12, 0.46),
    Load("shop:checkout", "shop.Product", 45, Reason.UNSAFE_METHOD, 48, 0.97),
    Load("shop:report", "shop.OrderLine", 6, Reason.OBSERVED, 180, 0.0),
    Load("shop:product-list", "auth.User", 190, Reason.DENIED),
    Load("", "shop.Product", 12, Reason.OUTSIDE_UNIT),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time. number: how many came after it. step: how far the rollout was, or None before it."""

    starts_at: datetime
    lasts: timedelta
    number: int
    step: Step | None

    @property
    def share(self) -> float:
        """The part of all actors that the rollout lets go to replicas."""
        return float(self.step.percent) / 100 if self.step else 0.0

    @property
    def flushes(self) -> tuple["Span", ...]:
        """What processes write of a minute, before it is kept by the hour."""
        if self.lasts != MINUTE:
            return (self,)
        return tuple(
            replace(self, starts_at=self.starts_at + part * FLUSH, lasts=FLUSH) for part in range(MINUTE // FLUSH)
        )

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that all counts of it have."""
        return {"starts_at": self.starts_at, "span_seconds": round(self.lasts.total_seconds())}


def store_counts(now: datetime, steps: Sequence[Step], days: int = DAYS) -> None:
    """Write them. steps: how the share of the catalogue's flag grew."""
    spans = _spans(now, steps, days)
    Tally.objects.bulk_create((tally for tally in _tallies(spans) if tally.count), batch_size=BATCH)
    ArmCount.objects.bulk_create(_arms(spans), batch_size=BATCH)
    EndpointCount.objects.bulk_create(_endpoints(spans), batch_size=BATCH)


def _spans(now: datetime, steps: Sequence[Step], days: int) -> list[Span]:
    """Return whole hours, and minutes after that, the newest first."""
    start = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    until = now.replace(second=0, microsecond=0)
    stretches = []
    while start < until:
        stretches.append((start, HOUR if start + HOUR <= until - RECENT else MINUTE))
        start += stretches[-1][1]
    return [
        Span(start, lasts, number, next((step for step in reversed(steps) if step.at <= start), None))
        for number, (start, lasts) in enumerate(reversed(stretches))
    ]


def _tallies(spans: Iterable[Span]) -> Iterator[Tally]:
    random = Random("tallies")
    for span in spans:
        for load in LOADS:
            count = load.count(span, random)
            meant = round(count * span.share) if load.is_of_the_rollout else 0
            behind = round(meant * BEHIND_SHARE)
            candidate = next(iter(REPLICAS)) if load.reason is Reason.OBSERVED else ""
            yield _tally(span, load, reason=load.reason, count=count - meant, candidate=candidate)
            yield _tally(span, load, reason=Reason.BEHIND, count=behind)
            for alias, part in REPLICAS.items():
                yield _tally(span, load, alias=alias, reason=Reason.ROUTED, count=round((meant - behind) * part))
        if span.step and span.number % SPANS_PER_REPLAY == 0:
            facts = {"kind": TallyKind.REPLAY, "alias": "replica2", "candidate": "replica1", "reason": Cause.CONFLICT}
            yield _tally(span, CATALOGUE_LOADS[0], **facts, count=random.randint(1, 3))


def _tally(span: Span, load: Load, **fields: Any) -> Tally:
    usual = {"kind": TallyKind.READ, "cluster": "default", "alias": "default"}
    return Tally(endpoint=load.endpoint, model=load.model, **span.fields, **(usual | fields))


def _arms(spans: Iterable[Span]) -> Iterator[ArmCount]:
    random = Random("arms")
    flushes = (flush for span in spans if span.step for flush in span.flushes)
    for flush, load in product(flushes, CATALOGUE_LOADS):
        units = load.count(flush, random) // READS_PER_UNIT
        on_replicas = round(units * flush.share)
        yield _arm(flush, load, Side.REPLICA, on_replicas, random)
        yield _arm(flush, load, Side.PRIMARY, units - on_replicas, random)


def _arm(span: Span, load: Load, side: Side, units: int, random: Random) -> ArmCount:
    reads = READS_PER_UNIT * units if side is Side.REPLICA else 0
    return ArmCount(
        **span.fields,
        target_kind=TargetKind.ENDPOINT,
        target=load.endpoint,
        side=side,
        revision=span.step.revision if span.step else 0,
        units=units,
        failed=int(random.random() < units * FAILED_SHARE),
        durations=_durations(load, units, random),
        reads=reads,
        fallbacks=round(reads * BEHIND_SHARE),
        lag_seconds=round(random.uniform(0.02, 0.4), 3),
    )


def _endpoints(spans: Iterable[Span]) -> Iterator[EndpointCount]:
    random = Random("endpoints")
    for span, load in product(spans, LOADS):
        if load.median_ms:
            units = load.count(span, random) // READS_PER_UNIT
            yield EndpointCount(
                **span.fields,
                endpoint=load.endpoint,
                units=units,
                failed=int(random.random() < units * FAILED_SHARE),
                writes_after_reads=units if load.reason is Reason.UNSAFE_METHOD else 0,
                with_token=round(units * load.with_token),
                durations=_durations(load, units, random),
            )


def _durations(load: Load, units: int, random: Random) -> dict[str, int]:
    measured = min(units, MEASURED_UNITS)
    durations: dict[str, int] = {}
    for _ in range(measured):
        bucket = str(bucket_of(load.median_ms / 1000 * random.lognormvariate(0, 0.45)))
        durations[bucket] = durations.get(bucket, 0) + units // measured
    return durations
