"""The numbers that follow from requests and attempts. Pure."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.failover.attempts import Attempt, Kind
from benchmarks.failover.history import Request

LONGEST_END_SECONDS = 1.0
"""Attempts within so long before a fault's end go on until the end."""

FEWEST_READS = 10
"""What is said about a second with fewer is chance."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when a fault lasted, on the monotonic clock."""

    begin: float
    end: float

    def __contains__(self, at: float) -> bool:
        return self.begin <= at < self.end


def percentile(values: Collection[float], share: float) -> float | None:
    """Return the smallest value that at least this share of the values do not exceed; None of no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def seconds_to_eject(attempts: Iterable[Attempt], aliases: Collection[str], fault: Window) -> float | None:
    """Return how long after its begin the last attempt at one of these servers was under way within a fault.

    One that hangs is under way until it ends. 0 if there was none, None if they went on until the fault ended.
    """
    last = fault.begin
    for attempt in attempts:
        if attempt.alias in aliases and attempt.begun < fault.end:
            last = max(last, min(attempt.ended, fault.end))
    margin = min(LONGEST_END_SECONDS, (fault.end - fault.begin) / 4)
    return last - fault.begin if last <= fault.end - margin else None


def seconds_to_return(attempts: Iterable[Attempt], aliases: Collection[str], end: float) -> float | None:
    """Return how long after the fault's end each of these servers had answered a statement that began after it.

    None if one of them did not.
    """
    firsts = dict.fromkeys(aliases, math.inf)
    for attempt in attempts:
        if attempt.alias in firsts and attempt.kind is Kind.STATEMENT and attempt.is_ok and attempt.begun >= end:
            firsts[attempt.alias] = min(firsts[attempt.alias], attempt.ended)
    last = max(firsts.values())
    return None if math.isinf(last) else last - end


def primary_peak_ratio(reads: Iterable[Request], fault: Window) -> float | None:
    """Return the largest share of the reads that began in one second of the fault that the primary served.

    Any second within the fault counts that has `FEWEST_READS`; if none has, the fault as a whole. None without reads.
    """
    within = sorted((read for read in reads if read.started in fault), key=lambda read: read.started)
    peak, end, primary = None, 0, 0
    for begin, first in enumerate(within):
        if first.started + 1 > fault.end:
            break
        while end < len(within) and within[end].started < first.started + 1:
            primary += within[end].is_from_primary
            end += 1
        if end - begin >= FEWEST_READS:
            peak = max(peak or 0.0, primary / (end - begin))
        primary -= first.is_from_primary
    return peak if peak is not None else _share_of_primary(within)


def _share_of_primary(reads: Sequence[Request]) -> float | None:
    return sum(read.is_from_primary for read in reads) / len(reads) if reads else None
