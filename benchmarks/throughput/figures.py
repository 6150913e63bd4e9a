"""What windows add up to, and whether they measured the servers. Pure."""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.throughput.configurations import MOVED, ONE, PEERS, PRIMARY_ONLY, TWO, WITH_WRITES
from benchmarks.throughput.measures import Work

LEAST_USE = 0.9
"""Of its share, by the busiest server. Below, something else held back the reads, and nothing was measured."""


@dataclass(frozen=True, slots=True)
class Window:
    """A configuration at work for a while. works: what the primary did, then each replica. took: requests, in s.

    clients: how many processors the clients kept busy. idle: which share of the machine's time nobody needed.
    decisions: how often Readshift decided so, by reason.
    """

    works: Sequence[Work]
    took: Sequence[float]
    seconds: float
    clients: float
    idle: float | None
    errors: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)

    @property
    def reads(self) -> float:
        """In a second, by all servers."""
        return sum(work.reads for work in self.works)

    @property
    def seconds_per_read(self) -> float:
        """How much of the busiest server's processor time each read takes, of all reads, wherever they ran.

        With equal shares that server is the first that can do no more, so one over this is what all of them can serve.
        """
        return max(work.processors for work in self.works) / self.reads if self.reads else math.inf


def percentile(values: Collection[float], share: float) -> float | None:
    """Return the smallest value that at least this share of the values do not exceed; None of no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


@dataclass(slots=True)
class Figures:
    """All windows of a run by configuration, in the order of the rounds.

    cpu_share: that each server was held to, of one processor; None where that was not allowed, with the reason.
    """

    cpu_share: float | None
    reason: str = ""
    windows: dict[str, list[Window]] = field(default_factory=dict)

    def add(self, name: str, window: Window) -> None:
        self.windows.setdefault(name, []).append(window)

    def as_json(self) -> dict[str, Any]:
        """Return the result."""
        return {
            PRIMARY_ONLY: self._configuration(PRIMARY_ONLY),
            ONE: self._configuration(ONE),
            TWO: self._configuration(TWO),
            MOVED: self._configuration(MOVED),
            "ratio_one_replica": self._ratio(ONE),
            "ratio_two_replicas": self._ratio(TWO),
            "ratio_moved": self._ratio(MOVED),
            "primary_reads_moved": self._moved(MOVED),
            "cpu_share": self.cpu_share,
            "cpu_share_reason": self.reason,
            "ratio_by_processor_time": self._ratio_by_processor_time(TWO),
            "peers": {peer: {**self._configuration(peer), "ratio": self._ratio(peer)} for peer in PEERS},
            "with_writes": self._with_writes(),
            "rounds": len(self.windows.get(PRIMARY_ONLY, ())),
        }

    def unsound(self) -> Iterator[str]:
        """Yield every configuration in which something else than the servers held back the reads."""
        for name in self.windows:
            use = self._use(name)
            if use is not None and use < LEAST_USE:
                yield (
                    f"{name}: the busiest server used {use:.0%} of its share, so the clients or the machine were at "
                    f"their limit; they need {LEAST_USE:.0%}. Run it on a machine that does nothing else, or give a "
                    "smaller --share"
                )

    def _configuration(self, name: str) -> dict[str, Any]:
        """Return the medians of all rounds of one configuration."""
        windows = self.windows.get(name, [])
        if not windows:
            return {}
        p95 = [took for window in windows if (took := percentile(window.took, 0.95)) is not None]
        idle = [window.idle for window in windows if window.idle is not None]
        return {
            "reads_per_second": round(median(window.reads for window in windows), 1),
            "requests_per_second": round(median(len(window.took) / window.seconds for window in windows), 1),
            "p95_ms": round(1000 * median(p95)) if p95 else None,
            "primary_cpu": round(median(window.works[0].processors for window in windows), 3),
            "primary_reads_per_second": round(median(window.works[0].reads for window in windows), 1),
            "primary_read_share": round(median(_primary_share(window) for window in windows), 4),
            "reads_by_server": [
                round(median(window.works[number].reads for window in windows), 1)
                for number in range(len(windows[0].works))
            ],
            "cpu_ms_per_read": round(
                1000 * median(sum(work.processors for work in window.works) / window.reads for window in windows), 3
            ),
            "busiest_use": self._use(name),
            "clients_cpu": round(median(window.clients for window in windows), 2),
            "idle_share": round(median(idle), 3) if idle else None,
            "errors": sum(window.errors.total() for window in windows),
            "decisions": dict(sum((window.decisions for window in windows), Counter[str]())),
        }

    def _with_writes(self) -> dict[str, Any]:
        found = {
            name.removesuffix(WITH_WRITES): self._configuration(name)
            for name in self.windows
            if name.endswith(WITH_WRITES)
        }
        if not found:
            return {}
        ratios = {name: self._ratio(name + WITH_WRITES, PRIMARY_ONLY + WITH_WRITES) for name in found}
        return {
            **{name: {**figures, "ratio": ratios[name]} for name, figures in found.items()},
            "ratio_two_replicas": ratios[TWO],
            "primary_reads_moved": self._moved(MOVED + WITH_WRITES),
        }

    def _ratio(self, name: str, base: str = PRIMARY_ONLY) -> float | None:
        """Return how many times as many reads as the base, by the medians; by processor time where nothing is held."""
        if self.cpu_share is None:
            return self._ratio_by_processor_time(name, base)
        if not (self.windows.get(name) and self.windows.get(base)):
            return None
        return round(
            median(window.reads for window in self.windows[name])
            / median(window.reads for window in self.windows[base]),
            3,
        )

    def _ratio_by_processor_time(self, name: str, base: str = PRIMARY_ONLY) -> float | None:
        if not (self.windows.get(name) and self.windows.get(base)):
            return None
        costs = (median(window.seconds_per_read for window in self.windows[each]) for each in (base, name))
        alone, shared = costs
        return round(alone / shared, 3)

    def _moved(self, name: str) -> float | None:
        windows = self.windows.get(name)
        return round(1 - median(map(_primary_share, windows)), 4) if windows else None

    def _use(self, name: str) -> float | None:
        if self.cpu_share is None:
            return None
        busiest = median(max(work.processors for work in window.works) for window in self.windows[name])
        return round(busiest / self.cpu_share, 3)


def _primary_share(window: Window) -> float:
    return window.works[0].reads / window.reads if window.reads else 1.0
