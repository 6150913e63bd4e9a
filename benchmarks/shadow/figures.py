"""The figures of a run, and what follows from them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

FEWEST_COMPARISONS = 20_000
DELAY_MS = 2_000.0

Rounds = Mapping[str, Sequence[float]]
"""Server to how long its requests took, in milliseconds. Those of one round have the same place."""


class UnsoundError(RuntimeError):
    """A phase did not do what it must for its figures to mean anything. The message says what was missing."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; None what was not. The package's docstring says what the names stand for."""

    comparisons: int | None = None
    false_divergent: int | None = None
    inconclusive: int | None = None
    planted: int | None = None
    found: int | None = None
    causes_right: int | None = None
    request_overhead_ratio: float | None = None
    broker_down_ratio: float | None = None
    http_errors: int = 0
    staleness_ms_median: float | None = None
    peak_memory_mb: float | None = None

    def with_phase(self, phase: "Figures") -> "Figures":
        """Return these with what a further phase has measured. Errors add up."""
        measured = {name: value for name, value in asdict(phase).items() if value is not None}
        return replace(self, **{**measured, "http_errors": self.http_errors + phase.http_errors})

    def as_json(self) -> dict[str, Any]:
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Spread:
    """A ratio in single blocks of a measurement."""

    least: float
    median: float
    most: float


def ratio(blocks: Iterable[Rounds], server: str, *bases: str) -> float:
    """Return the median time of one server over that of others, which are taken as one, of all blocks together."""
    blocks = list(blocks)
    times = [took for block in blocks for took in block[server]]
    others = [took for block in blocks for base in bases for took in block[base]]
    return median(times) / median(others)


def spread(blocks: Iterable[Rounds], server: str, *bases: str) -> Spread:
    """Return how the same ratio differs between blocks."""
    ratios = [ratio([block], server, *bases) for block in blocks]
    return Spread(min(ratios), median(ratios), max(ratios))
