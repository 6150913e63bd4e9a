"""When the benchmark of the pages has missed a bound."""

import pytest

from benchmarks.bounds import missed
from benchmarks.pages.entry import bounds

WITHIN = {"overview_ms": 150.0, "overview_queries": 25, "refresh_ms": 50.0, "refresh_queries": 8}


def test_figures_at_the_bounds_miss_none() -> None:
    assert missed(bounds(WITHIN)) == []


@pytest.mark.parametrize("name", WITHIN)
def test_each_figure_beyond_its_bound_is_told(name: str) -> None:
    (words,) = missed(bounds({**WITHIN, name: WITHIN[name] + 1}))
    assert words == f"{name} is {WITHIN[name] + 1:g}, the bound is at most {WITHIN[name]:g}"
