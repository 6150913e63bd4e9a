"""What became of the units of each endpoint, counted in memory where they end, until the agent writes it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rollout.models.endpoint_count import EndpointCount
from rollout.rollup import FLUSH_SPAN_SECONDS, flush_span
from rollout.settings import get_settings
from rollout.windows import bucket_of
from routers.endpoints import OVERFLOW
from routers.unit_counts import UnitCounts


@dataclass(slots=True)
class Work:
    """What became of the units of one endpoint. The fields are those of `rollout.models.EndpointCount`."""

    units: int = 0
    failed: int = 0
    safe_writes: int = 0
    writes_after_reads: int = 0
    with_token: int = 0
    durations: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Work") -> None:
        self.units += other.units
        self.failed += other.failed
        self.safe_writes += other.safe_writes
        self.writes_after_reads += other.writes_after_reads
        self.with_token += other.with_token
        self.durations.update(other.durations)


class EndpointMeter(UnitCounts[str, Work]):
    """Counters of one process. Those of endpoints that a full one has not seen yet are added up under `OVERFLOW`."""

    model = EndpointCount

    def count(
        self,
        endpoint: str,
        seconds: float,
        *,
        failed: bool,
        has_written_safely: bool,
        has_written_after_read: bool,
        has_token: bool,
    ) -> None:
        """Take down that a unit has ended. seconds: how long it took."""
        bucket = bucket_of(seconds)
        with self._lock:
            work = self._work_of(endpoint)
            work.units += 1
            work.failed += failed
            work.safe_writes += has_written_safely
            work.writes_after_reads += has_written_after_read
            work.with_token += has_token
            work.durations[bucket] += 1

    def give_back(self, taken: Mapping[str, Work]) -> None:
        """Add counts again that could not be written."""
        for endpoint, work in taken.items():
            with self._lock:
                self._work_of(endpoint).add(work)

    def rows(self, taken: Mapping[str, Work], now: datetime) -> Iterable[EndpointCount]:
        starts_at = flush_span(now)
        for endpoint, work in taken.items():
            yield EndpointCount(
                starts_at=starts_at,
                span_seconds=FLUSH_SPAN_SECONDS,
                endpoint=endpoint,
                units=work.units,
                failed=work.failed,
                safe_writes=work.safe_writes,
                writes_after_reads=work.writes_after_reads,
                with_token=work.with_token,
                durations=work.durations,
            )

    def _work_of(self, endpoint: str) -> Work:
        """Return where an endpoint is counted. The lock must be held."""
        work = self._counted.get(endpoint)
        if work is None:
            if len(self._counted) >= get_settings().max_series:
                endpoint = OVERFLOW
            work = self._counted.setdefault(endpoint, Work())
        return work


endpoint_meter = EndpointMeter()
"""The endpoints of this process."""
