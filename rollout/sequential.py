"""Tests of shares that may be looked at as often as one likes. Pure.

All of them are e-processes: evidence that starts at 1, is multiplied with a factor for each window, and whose mean
never grows while the null hypothesis holds. By Ville's inequality it then ever reaches 1 / alpha with a probability of
at most alpha, however often one looks and for whatever reason one stops or goes on. (A. Ramdas, P. Gruenwald, V. Vovk
and G. Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38 (2023), 576-601.)

The factor of a window, for some a and b that depend on what is known before its failures are, is

    a ** replica_failed * b ** primary_failed * exp(-replica_units * share * (a - 1)).

With failure probabilities p of the replica's units and q of the primary's its mean is at most

    exp(replica_units * (p - share) * (a - 1) + primary_units * q * (b - 1)),

as 1 + x <= exp(x). With a / b = rho and replica_units * ratio * (a - 1) + primary_units * (b - 1) = 0 that is at most 1
whenever p <= ratio * q + share and rho > 1, and, the other way round, whenever p >= ratio * q + share and rho < 1. It
holds for any number of units, equal arms or not, and any q, which may change from window to window and from unit to
unit. With share 0 the factor is the likelihood ratio of the arm that each failure comes from, which M. Lindon and
A. Malek compare canaries by ("Anytime-valid inference for multinomial count data", NeurIPS 2022). For exact E-variables
of Bernoulli arms see R. Turner, A. Ly and P. Gruenwald, "Generic E-variables for exact sequential k-sample tests that
allow for optional stopping", Journal of Statistical Planning and Inference 230 (2024); those suppose the same q always.

Assumed: given the past, units fail independently of each other. Swings that both arms share do no harm. Failures that
come in bursts of one arm alone make the test reject more often than it says, as far as `ratio` does not leave room.

As nobody knows rho beforehand, evidence is the mean over several. The method of mixtures: S. Howard, A. Ramdas,
J. McAuliffe and J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49
(2021), 1055-1080.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, log

HIGHER = (1.15, 1.3, 1.6, 2.0, 3.0, 6.0, 15.0, 60.0)
"""How many times the greatest tolerated share the alternatives are of a test that looks for more."""
LOWER = (0.3, 0.5, 0.7, 0.85)
"""The same for a test that looks for less."""
_NEAR_HIGHER = (1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 4.0)
_NEAR_LOWER = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)

_LEAST_UNITS = 100
_PART = 50
"""Evidence starts afresh once the units since the last start are this part of all."""


@dataclass(frozen=True, slots=True)
class Trials:
    """Units of both arms in one window, and how many failed, in whatever sense is tested."""

    units: int
    failed: int
    primary_units: int = 0
    primary_failed: int = 0

    def __add__(self, other: "Trials") -> "Trials":
        return Trials(
            self.units + other.units,
            self.failed + other.failed,
            self.primary_units + other.primary_units,
            self.primary_failed + other.primary_failed,
        )


def against_primary(trials: Trials, ratio: float, share: float, times: Sequence[float]) -> tuple[float, ...]:
    """Return the logarithm of a window's factor for each of `times`, the null being ratio x primary's share + share."""
    mine, theirs = ratio * trials.units, trials.primary_units
    if not mine + theirs:
        return (0.0,) * len(times)
    logs = []
    for rho in times:
        b = (mine + theirs) / (rho * mine + theirs)
        a = rho * b
        logs.append(trials.failed * log(a) + trials.primary_failed * log(b) - trials.units * share * (a - 1))
    return tuple(logs)


def against_share(trials: Trials, share: float, times: Sequence[float]) -> tuple[float, ...]:
    """Return the same against a share that is known, with no primary arm beside it."""
    return tuple(trials.failed * log(rho) - trials.units * share * (rho - 1) for rho in times)


def mean(logs: Sequence[float]) -> float:
    """Return the logarithm of the mean of what these are the logarithms of."""
    return _sum(logs) - log(len(logs))


def _sum(logs: Sequence[float]) -> float:
    most = max(logs)
    return most + log(sum(exp(each - most) for each in logs))


@lru_cache(maxsize=256)
def highest(failed: int, units: int, doubt: float) -> float:
    """Return a share that the true one exceeds with a probability of at most `doubt`, whenever one looks."""
    if not units:
        return 1.0
    return _bound(Trials(units, failed), _NEAR_LOWER, log(1 / doubt), failed / units, 1.0)


@lru_cache(maxsize=256)
def lowest(failed: int, units: int, doubt: float) -> float:
    """Return a share that the true one falls short of with a probability of at most `doubt`, whenever one looks."""
    if not failed:
        return 0.0
    return _bound(Trials(units, failed), _NEAR_HIGHER, log(1 / doubt), failed / units, 0.0)


def _bound(trials: Trials, times: Sequence[float], enough: float, inside: float, outside: float) -> float:
    """Return the share next to `inside` that there is enough evidence against."""
    for _ in range(40):
        middle = (inside + outside) / 2
        if mean(against_share(trials, middle, times)) >= enough:
            outside = middle
        else:
            inside = middle
    return outside


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence that something has got worse at some time, not necessarily at the beginning.

    What a long good time adds up to would hide a change for as long again. So evidence starts afresh again and again,
    and what counts is a weighted sum over all starts: the start numbered i, from 0, weighs 1 / ((i + 1)(i + 2)), and
    these add up to 1, so that the sum is an e-process too. Where it starts is decided by numbers of units, never by
    their failures. The sum over starts is from A. Shiryaev, "On optimum methods in quickest detection problems", Theory
    of Probability and its Applications 8 (1963), 22-46; for e-processes, though unweighted, it is in J. Shin, A. Ramdas
    and A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", New England Journal of
    Statistics in Data Science 2 (2024), 229-260.

    Attributes:
        logs: for each of `HIGHER`, the logarithm of the sum.
        starts: how many there have been.
        units: of all windows.
        fresh: units since the last start.
        now: logarithm of the evidence.
        peak: the greatest that `now` ever was, which is what Ville's inequality is about.
    """

    logs: tuple[float, ...] = ()
    starts: int = 0
    units: int = 0
    fresh: int = 0
    now: float = 0.0
    peak: float = 0.0

    @property
    def leans(self) -> bool:
        """Whether what was found since all starts so far outweighs what is kept for those to come."""
        return bool(self.logs) and mean(self.logs) > -log(self.starts + 1)

    def after(self, units: int, factors: Sequence[float]) -> "Evidence":
        """Return the evidence after one more window with so many units, all of the factors being logarithms."""
        if not units:
            return self
        begun = self._started() if self.fresh >= max(_LEAST_UNITS, self.units / _PART) or not self.starts else self
        logs = tuple(before + factor for before, factor in zip(begun.logs, factors, strict=True))
        # Nothing is known yet of the starts that are still to come: they count 1 each.
        now = _sum([mean(logs), -log(begun.starts + 1)])
        return replace(
            begun,
            logs=logs,
            units=self.units + units,
            fresh=begun.fresh + units,
            now=now,
            peak=max(self.peak, now),
        )

    def _started(self) -> "Evidence":
        weight = -log((self.starts + 1) * (self.starts + 2))
        logs = tuple(_sum([before, weight]) for before in self.logs) or (weight,) * len(HIGHER)
        return replace(self, logs=logs, starts=self.starts + 1, fresh=0)


NO_EVIDENCE = Evidence()
