"""The figures of one system in one scenario."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.failover.attempts import Attempt
from benchmarks.failover.history import Kind, Request
from benchmarks.failover.measures import Window, percentile, primary_peak_ratio, seconds_to_eject, seconds_to_return

AFTERMATH_SECONDS = 3.0
"""How long after the end of a fault reads may still suffer from it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a fault. See the package for what each means."""

    reads: int
    failed: int
    shed: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    seconds_to_eject: float | None
    seconds_to_return: float | None
    primary_peak_ratio: float | None
    strict: int
    strict_failed: int
    writes: int
    writes_failed: int
    pages_by_server: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the numbers, rounded to what they are worth."""
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(self).items()}


def figures_of(
    requests: Sequence[Request], attempts: Collection[Attempt], faulted: Collection[str], fault: Window
) -> Figures:
    """Return the figures of a scenario in which these servers were at fault meanwhile."""
    by_kind = {kind: [request for request in requests if request.kind is kind] for kind in Kind}
    reads = by_kind[Kind.READ]
    suffering = Window(fault.begin, fault.end + AFTERMATH_SECONDS)
    took = [read.took_ms for read in reads if read.started in suffering]
    failed = {
        kind: sum(not (request.is_ok or request.is_shed) for request in requests) for kind, requests in by_kind.items()
    }
    return Figures(
        reads=len(reads),
        failed=failed[Kind.READ],
        shed=sum(read.is_shed for read in reads),
        p50_ms=percentile(took, 0.5),
        p99_ms=percentile(took, 0.99),
        max_ms=max(took, default=None),
        seconds_to_eject=seconds_to_eject(attempts, faulted, fault),
        seconds_to_return=seconds_to_return(attempts, faulted, fault.end),
        primary_peak_ratio=primary_peak_ratio(reads, fault),
        strict=len(by_kind[Kind.STRICT]),
        strict_failed=failed[Kind.STRICT],
        writes=len(by_kind[Kind.WRITE]),
        writes_failed=failed[Kind.WRITE],
        pages_by_server=dict(Counter(alias for read in reads for alias in sorted(read.servers))),
    )
