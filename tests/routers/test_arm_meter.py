"""What a process counts of arms until it is written, and what is written."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DataError

from rollout.models import ArmCount, Side, Tally
from rollout.policy import Rule
from rollout.windows import bucket_of
from routers.agent import Agent
from routers.arms import ArmMeter, Membership, Outcomes, Rollout, arms, greatest_lag
from routers.meter import Meter
from routers.series import Series
from tests.support import Servers, probing

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def member(target: str = "names", side: Side = Side.REPLICA, revision: int = 1, **counts: int) -> Membership:
    return Membership(Rule("endpoint", target, "route"), side, revision, **counts)


class TestTheMeter:
    def test_counts_from_many_threads_add_up(self) -> None:
        meter = ArmMeter()
        with ThreadPoolExecutor(8) as pool:
            for number in range(4_000):
                pool.submit(meter.count, [member(reads=2, fallbacks=1)], 0.01, failed=number % 4 == 0)
        ((_, sides),) = meter.take().items()
        found = sides[Side.REPLICA]
        assert (found.units, found.failed, found.reads, found.fallbacks) == (4_000, 1_000, 8_000, 4_000)
        assert dict(found.durations) == {bucket_of(0.01): 4_000}
        assert not meter.take()

    def test_a_full_one_leaves_out_both_arms_of_what_it_does_not_know(self, settings: Any) -> None:
        settings.READSHIFT = {**settings.READSHIFT, "MAX_SERIES": 1}
        meter = ArmMeter()
        for side in Side:
            for target in ("names", "elsewhere"):
                meter.count([member(target, side)], 0.01, failed=False)
        ((rollout, sides),) = meter.take().items()
        assert rollout.target == "names"
        assert [sides[side].units for side in Side] == [1, 1]

    def test_what_was_counted_under_two_revisions_is_stored_apart(self) -> None:
        meter = ArmMeter()
        for revision in (7, 8, 8):
            meter.count([member(revision=revision)], 0.01, failed=False)
        meter.write("default")
        assert dict(ArmCount.objects.values_list("revision", "units")) == {7: 1, 8: 2}

    def test_what_cannot_be_written_is_kept_and_written_later(self) -> None:
        meter = ArmMeter()
        meter.count([member("x" * 201), member(reads=3, fallbacks=2)], 0.01, failed=True)
        with pytest.raises(DataError):
            meter.write("default")
        assert not ArmCount.objects.exists()
        kept = meter.take()
        assert sorted(len(rollout.target) for rollout in kept) == [5, 201]
        meter.give_back({rollout: sides for rollout, sides in kept.items() if rollout.target == "names"})
        meter.write("default")
        row = ArmCount.objects.get()
        assert (row.units, row.failed, row.reads, row.fallbacks) == (1, 1, 3, 2)
        assert row.durations == {str(bucket_of(0.01)): 1}

    def test_tallies_are_written_though_the_arms_cannot_be(self) -> None:
        arms.count([member("x" * 201)], 0.01, failed=False)
        counts = Meter()
        counts.add(Series("read", "default", "replica1", "names", "shop.Product", "routed"))
        with pytest.raises(DataError):
            Agent(counts).flush()
        assert Tally.objects.get().count == 1
        assert arms.take()

    def test_a_child_process_counts_from_nothing(self) -> None:
        meter = ArmMeter()
        meter.count([member()], 0.01, failed=False)
        meter.after_fork()
        assert not meter.take()

    def test_no_more_reads_fall_back_than_there_are(self) -> None:
        meter = ArmMeter()
        meter.count([member(reads=1, fallbacks=2)], 0.01, failed=False)
        (sides,) = meter.take().values()
        assert sides[Side.REPLICA].fallbacks == 1


def test_rows_carry_the_lag_of_the_fit_replica_of_the_pool_that_is_furthest_behind(
    shop: Servers, settings: Any
) -> None:
    assert greatest_lag("default") is None
    with probing(settings):
        known = greatest_lag("default")
        assert known is not None
        assert 0 <= known < 60
        assert greatest_lag("reporting") is None
        arms.give_back({Rollout("endpoint", "names", "default", 1): {Side.REPLICA: Outcomes(units=1)}})
        arms.write("default")
    assert ArmCount.objects.get().lag_seconds is not None
