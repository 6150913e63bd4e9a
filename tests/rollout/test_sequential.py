"""The tests that may be looked at as often as one likes."""

from collections.abc import Sequence
from itertools import product
from math import comb, exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.sequential import (
    HIGHER,
    LOWER,
    NO_EVIDENCE,
    Evidence,
    Trials,
    against_primary,
    against_share,
    highest,
    lowest,
    mean,
)

FEW = st.integers(0, 12)
SHARES = st.floats(0, 1)
RATIOS = st.floats(0.2, 4)


def chance(failed: int, units: int, share: float) -> float:
    """Return the probability of so many failures."""
    return comb(units, failed) * share**failed * (1 - share) ** (units - failed)


def averages(
    units: int, primary_units: int, shares: tuple[float, float], null: tuple[float, float], times: Sequence[float]
) -> list[float]:
    """Return the mean of a window's factors over everything that the window may see."""
    totals = [0.0] * len(times)
    for failed, primary_failed in product(range(units + 1), range(primary_units + 1)):
        factors = against_primary(Trials(units, failed, primary_units, primary_failed), *null, times)
        probability = chance(failed, units, shares[0]) * chance(primary_failed, primary_units, shares[1])
        totals = [total + probability * exp(factor) for total, factor in zip(totals, factors, strict=True)]
    return totals


@given(FEW, FEW, SHARES, RATIOS, st.floats(0, 0.3), SHARES)
def test_evidence_for_more_does_not_grow_on_average_while_the_share_is_tolerated(
    units: int, primary_units: int, primary: float, ratio: float, share: float, part: float
) -> None:
    tolerated = part * min(1.0, ratio * primary + share)
    assert max(averages(units, primary_units, (tolerated, primary), (ratio, share), HIGHER)) <= 1 + 1e-9


@given(FEW, FEW, SHARES, RATIOS, st.floats(0, 0.3), SHARES)
def test_evidence_for_less_does_not_grow_on_average_while_the_share_is_harmful(
    units: int, primary_units: int, primary: float, ratio: float, share: float, part: float
) -> None:
    # A primary's share that leaves room for a harmful one.
    primary = primary * (1 - share) / max(1.0, ratio)
    least = ratio * primary + share
    harmful = min(1.0, least + part * (1 - least))
    assert max(averages(units, primary_units, (harmful, primary), (ratio, share), LOWER)) <= 1 + 1e-9


@given(st.integers(1, 60), st.floats(0.001, 1))
def test_evidence_against_a_known_share_does_not_grow_on_average_at_that_share(units: int, share: float) -> None:
    for rho in (*HIGHER, *LOWER):
        # Each unit's factor is exp(-share * (rho - 1)), times rho if it fails.
        one = exp(against_share(Trials(1, 1), share, (rho,))[0]) * share
        other = exp(against_share(Trials(1, 0), share, (rho,))[0]) * (1 - share)
        assert (one + other) ** units <= 1 + 1e-9


@given(st.integers(1, 50), st.integers(1, 50), st.integers(2, 5), RATIOS)
def test_a_window_says_as_much_as_its_parts_in_the_same_proportion(
    units: int, primary_units: int, parts: int, ratio: float
) -> None:
    part = Trials(units, units // 2, primary_units, primary_units // 3)
    whole = Trials(*(parts * number for number in (part.units, part.failed, part.primary_units, part.primary_failed)))
    single = against_primary(part, ratio, 0.01, HIGHER)
    assert against_primary(whole, ratio, 0.01, HIGHER) == pytest.approx([parts * each for each in single])


def test_nothing_seen_says_nothing() -> None:
    assert against_primary(Trials(0, 0), 1.0, 0.1, HIGHER) == (0.0,) * len(HIGHER)
    assert NO_EVIDENCE.after(0, (1.0,) * len(HIGHER)) == NO_EVIDENCE


@given(st.lists(st.integers(1, 500), min_size=1, max_size=60))
def test_windows_that_speak_for_neither_leave_the_evidence_at_one(units: list[int]) -> None:
    evidence = NO_EVIDENCE
    for number in units:
        evidence = evidence.after(number, (0.0,) * len(HIGHER))
    assert evidence.now == pytest.approx(0.0, abs=1e-9)


def test_a_long_good_time_does_not_hide_what_comes_after_it() -> None:
    good, bad = Trials(1000, 10, 1000, 10), Trials(1000, 30, 1000, 10)

    def windows_until_sure(before: int) -> int:
        evidence: Evidence = NO_EVIDENCE
        for _ in range(before):
            evidence = evidence.after(1000, against_primary(good, 1.1, 0.0, HIGHER))
        for number in range(1, 1000):
            evidence = evidence.after(1000, against_primary(bad, 1.1, 0.0, HIGHER))
            if evidence.now > 6:
                return number
        raise AssertionError("never sure")

    assert windows_until_sure(0) <= 3
    assert windows_until_sure(1000) <= 10


@given(st.integers(1, 10_000), SHARES, st.floats(1e-6, 0.2))
def test_bounds_lie_on_either_side_of_the_share(units: int, part: float, doubt: float) -> None:
    failed = round(part * units)
    assert lowest(failed, units, doubt) <= failed / units <= highest(failed, units, doubt)
    assert lowest(failed, units, doubt) >= 0
    assert highest(failed, units, doubt) <= 1


def test_bounds_tighten_with_the_sample() -> None:
    assert highest(20, 1000, 0.001) > highest(2000, 100_000, 0.001) > 0.02
    assert lowest(20, 1000, 0.001) < lowest(2000, 100_000, 0.001) < 0.02


def test_of_nothing_everything_is_possible() -> None:
    assert (lowest(0, 0, 0.01), highest(0, 0, 0.01)) == (0.0, 1.0)


def test_alpha_is_kept_however_often_one_looks() -> None:
    random, wrong, runs, alpha = Random(5), 0, 400, 0.2  # noqa: S311 - a simulation
    for _ in range(runs):
        evidence = NO_EVIDENCE
        for _ in range(60):
            failed, primary_failed = (sum(random.random() < 0.05 for _ in range(units)) for units in (15, 60))
            trials = Trials(15, failed, 60, primary_failed)
            evidence = evidence.after(15, against_primary(trials, 1.0, 0.0, HIGHER))
        wrong += exp(evidence.peak) >= 1 / alpha
    assert wrong <= alpha * runs


def test_the_mean_of_what_is_far_apart_is_exact() -> None:
    assert mean((1000.0, -1000.0)) == pytest.approx(1000 - 0.6931471805599453)
