"""Counting in memory and on the primary."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from rollout.models import Tally, TallyKind
from routers.agent import Agent
from routers.endpoints import OVERFLOW
from routers.meter import Meter, tallies
from routers.series import Series


def series(endpoint: str = "names") -> Series:
    return Series(TallyKind.READ, "default", "replica1", endpoint, "shop.Product", "routed")


def test_counts_from_many_threads_add_up() -> None:
    counts = Meter()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(8_000):
            pool.submit(counts.add, series(), 1)
    assert counts.take() == {series(): 8_000}
    assert counts.take() == {}


def test_a_full_meter_counts_new_series_under_one_name(settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "MAX_SERIES": 2}
    counts = Meter()
    for number in range(5):
        counts.add(series(f"endpoint {number}"))
    taken = counts.take()
    assert sum(taken.values()) == 5
    assert len(taken) == 3
    assert sum(count for key, count in taken.items() if key.endpoint == OVERFLOW) == 3


def test_rows_start_at_the_beginning_of_their_span() -> None:
    now = datetime(2026, 11, 23, 12, 0, 17, 250_000, tzinfo=UTC)
    (row,) = tallies({series(): 3}, now)
    assert row.starts_at == datetime(2026, 11, 23, 12, 0, 10, tzinfo=UTC)
    assert (row.span_seconds, row.count) == (10, 3)


@pytest.mark.django_db
def test_counts_are_written_once() -> None:
    counts = Meter()
    counts.add(series(), 7)
    agent = Agent(counts)
    agent.flush()
    agent.flush()
    assert Tally.objects.get().count == 7


@pytest.mark.django_db
def test_counts_that_cannot_be_written_are_kept() -> None:
    counts = Meter()
    counts.add(Series("x" * 100, "default", "replica1", "names", "shop.Product", "routed"))
    agent = Agent(counts)
    with pytest.raises(Exception, match="too long"):
        agent.flush()
    assert sum(counts.take().values()) == 1
