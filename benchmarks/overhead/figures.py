"""The figures of a run, what follows from them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, median, quantiles
from typing import Any

from benchmarks.overhead.blocks import Block, What

_RESAMPLES = 1_000
_SIDE = 0.025
_PER_US = 1_000.0

Took = Mapping[tuple[Block, str], Sequence[float]]
"""Block and process to the nanoseconds of one repetition, once for each round."""


class UnsoundError(RuntimeError):
    """A system did not do what it must for its figures to mean anything. The message says what was missing."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """What reads through one process take, over those of two others that are the same. Medians of single turns.

    low, high: 95 % of medians of turns drawn anew lie between them. control: one of the two over the other.
    """

    value: float
    low: float
    high: float
    control: float


def microseconds(took: Took, block: Block, name: str) -> float:
    """Return the median time of one repetition."""
    return median(took[block, name]) / _PER_US


def added(own: Sequence[float], other: Sequence[float]) -> float:
    """Return how many microseconds more one repetition takes in one process than in another. Compared turn by turn."""
    return median(mine - theirs for mine, theirs in zip(own, other, strict=True)) / _PER_US


def first_decision(took: Took, name: str) -> float:
    """Return what a request's first decision takes, in microseconds: a request with one, without the request."""
    return microseconds(took, Block(What.FIRST), name) - microseconds(took, Block(What.REQUEST), name)


def read_ratio(own: Sequence[float], constant: Sequence[float], control: Sequence[float], dice: Random) -> Ratio:
    """Return how much longer reads take than with the constant router, of which two processes were measured.

    Each turn is compared by itself, as what slows the machine slows all of a turn. The interval is a bootstrap's
    (Efron 1979, percentile method).
    """
    ratios = [mine / fmean(others) for mine, *others in zip(own, constant, control, strict=True)]
    medians = sorted(median(dice.choices(ratios, k=len(ratios))) for _ in range(_RESAMPLES))
    low, high = medians[round(_SIDE * _RESAMPLES)], medians[round((1 - _SIDE) * _RESAMPLES) - 1]
    return Ratio(median(ratios), low, high, median(map(_over, control, constant)))


def quiet_ratio(own: Sequence[float], *others: Sequence[float]) -> float:
    """Return the ratio of the lower quartiles: of the turns in which nobody else needed the machine."""
    return _quartile(own) / fmean(map(_quartile, others))


def rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures with no more digits than they are worth."""
    return {name: _rounded(value) for name, value in figures.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return rounded(value)
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


def _over(one: float, other: float) -> float:
    return one / other


def _quartile(values: Sequence[float]) -> float:
    return quantiles(values, n=4)[0]
