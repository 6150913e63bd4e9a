"""The tasks that keep the statistics small, as Celery runs them."""

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from rollout.models import ArmCount, EndpointCount, Side, Tally, TallyKind
from tasks.schedule import BEAT_SCHEDULE
from tasks.statistics import retain, roll_up

pytestmark = pytest.mark.django_db


def store(*ages: timedelta) -> None:
    Tally.objects.bulk_create(
        Tally(
            starts_at=timezone.now() - age,
            span_seconds=10,
            kind=TallyKind.READ,
            cluster="default",
            alias="replica1",
            endpoint="names",
            model="shop.Product",
            reason="routed",
            count=2,
        )
        for age in ages
    )


@pytest.mark.parametrize("entry", BEAT_SCHEDULE.values(), ids=BEAT_SCHEDULE.keys())
def test_the_schedule_names_registered_tasks_and_skips_a_run_rather_than_queueing_two(entry: dict[str, Any]) -> None:
    assert entry["task"] in current_app.tasks
    assert entry["task"].startswith("readshift.")
    assert 0 < entry["options"]["expires"] < entry["schedule"]


def test_the_tasks_are_registered_under_names_that_no_module_path_can_change() -> None:
    assert (roll_up.name, retain.name) == ("readshift.roll_up", "readshift.retain")


def test_rolling_up_merges_old_counts_and_returns_how_many_rows_that_saved() -> None:
    old = timedelta(hours=1)
    store(old, old, old, timedelta(0))
    assert roll_up.delay().get() == 2
    assert sorted(Tally.objects.values_list("span_seconds", "count")) == [(10, 2), (60, 6)]
    assert roll_up.delay().get() == 0


def test_retaining_deletes_what_is_older_than_the_setting_says(settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "RETENTION_DAYS": 2}
    store(timedelta(days=3), timedelta(days=1))
    assert retain.delay().get() == 1
    assert Tally.objects.count() == 1
    assert retain.delay().get() == 0


def test_retaining_keeps_a_month_by_default() -> None:
    store(timedelta(days=31), timedelta(days=29))
    assert retain.delay().get() == 1


@pytest.mark.parametrize("task", [roll_up, retain])
def test_a_task_with_nothing_to_do_does_nothing(task: Any) -> None:
    assert task.delay().get() == 0


def test_what_is_stored_of_arms_is_kept_small_likewise() -> None:
    now, ages = timezone.now(), [timedelta(days=40), *2 * [timedelta(hours=2)], timedelta(0)]
    ArmCount.objects.bulk_create(
        ArmCount(
            starts_at=now - age,
            span_seconds=10,
            target_kind="endpoint",
            target="names",
            side=Side.REPLICA,
            revision=1,
        )
        for age in ages
    )
    assert retain.delay().get() == 1
    assert roll_up.delay().get() == 1
    assert sorted(ArmCount.objects.values_list("span_seconds", flat=True)) == [10, 60]


def test_and_what_is_stored_of_endpoints() -> None:
    now, ages = timezone.now(), [timedelta(days=40), *2 * [timedelta(hours=2)], timedelta(0)]
    EndpointCount.objects.bulk_create(
        EndpointCount(starts_at=now - age, span_seconds=10, endpoint="names", units=1) for age in ages
    )
    assert retain.delay().get() == 1
    assert roll_up.delay().get() == 1
    assert sorted(EndpointCount.objects.values_list("span_seconds", "units")) == [(10, 1), (60, 2)]
