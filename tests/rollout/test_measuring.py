"""Windows from what processes and workers have stored, on a real primary."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from rollout.measuring import SETTLING, Horizon, Measured, Period, measure, recorded
from rollout.models import ArmCount, ShadowRead, ShadowState, Side
from rollout.outcomes import Outcome
from rollout.snapshots import Snapshot
from rollout.windows import NO_UNITS, Arm, Window, histogram

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

BEGAN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
SETTLED = BEGAN + SETTLING
STAGE = Period("endpoint", "names", stage=2, revision=7, began_at=BEGAN)


def store(side: Side = Side.REPLICA, **fields: Any) -> ArmCount:
    """Store what a process counted: one unit, unless told otherwise."""
    facts: dict[str, Any] = {
        "starts_at": BEGAN,
        "span_seconds": 10,
        "target_kind": "endpoint",
        "target": "names",
        "revision": 7,
        "units": 1,
    }
    (row,) = ArmCount.objects.bulk_create([ArmCount(side=side, **{**facts, **fields})])
    return row


def compare(outcome: Outcome, **fields: Any) -> None:
    """Store a comparison and how it ended, as a worker does: in two steps."""
    captured: dict[str, Any] = {"captured_at": BEGAN, "endpoint": "names", "model": "shop.Product", **fields}
    read = ShadowRead.objects.create(
        batch="00000000-0000-0000-0000-000000000000", **{"compared_at": BEGAN + timedelta(seconds=1), **captured}
    )
    ShadowRead.objects.filter(pk=read.pk).update(state=ShadowState.DONE, outcome=outcome)


def look(since: Horizon | None = None, period: Period = STAGE) -> Measured:
    return measure(period, since, "default")


def test_nothing_stored_is_no_window_at_all() -> None:
    found = look()
    assert found.window is None
    assert look(found.horizon).window is None


def test_what_processes_stored_adds_up_by_arm() -> None:
    for _ in range(2):
        store(units=3, failed=1, durations={"40": 2, "50": 1}, reads=5, fallbacks=2, lag_seconds=0.5, starts_at=SETTLED)
    store(lag_seconds=0.7, durations={"40": 1})
    store(Side.PRIMARY, units=4, durations={"41": 4}, lag_seconds=0.1)
    found = look().window
    assert found is not None
    counts = [0] * len(found.replica.durations)
    counts[40], counts[50] = 5, 2
    assert found.replica == Arm(7, 2, tuple(counts))
    assert (found.primary.units, found.primary.failed, found.primary.durations[41]) == (4, 0, 4)
    assert (found.reads, found.fallbacks, found.lag_seconds, found.stage) == (10, 4, 0.7, 2)


def test_whom_a_stage_has_just_let_go_falls_back_to_the_primary_without_blame() -> None:
    for starts_at in (BEGAN, SETTLED - timedelta(seconds=1)):
        store(units=3, failed=1, reads=5, fallbacks=5, starts_at=starts_at)
    found = look()
    assert found.window is not None
    assert (found.window.replica.units, found.window.replica.failed) == (6, 2)
    assert (found.window.reads, found.window.fallbacks) == (0, 0)
    store(reads=5, fallbacks=4, starts_at=SETTLED)
    later = look(found.horizon).window
    assert later is not None
    assert (later.reads, later.fallbacks) == (5, 4)
    (recorded_once,) = recorded("endpoint", "names", BEGAN, SETTLED + timedelta(seconds=1), "default", span_seconds=60)
    assert (recorded_once.replica.units, recorded_once.reads, recorded_once.fallbacks) == (7, 5, 4)


def test_units_of_another_rule_or_an_earlier_stage_are_not_of_this_one() -> None:
    store(target="elsewhere")
    store(target_kind="model")
    store(revision=6)
    assert look().window is None
    store(revision=8)
    assert units(look()) == 1


def test_each_row_is_taken_by_one_look() -> None:
    store()
    first = look()
    assert units(first) == 1
    store(units=2)
    second = look(first.horizon)
    assert units(second) == 2
    assert look(second.horizon).window is None


def test_a_row_that_is_committed_late_is_taken_later_and_holds_nothing_up() -> None:
    with another_client() as late:
        insert(late, units=100)
        store()
        first = look()
        assert units(first) == 1
        store(units=2)
        second = look(first.horizon)
        assert units(second) == 2
        late.commit()
    third = look(second.horizon)
    assert units(third) == 100
    assert look(third.horizon).window is None


def test_a_row_whose_transaction_fails_is_never_taken() -> None:
    with another_client() as failing:
        insert(failing, units=100)
        first = look()
        failing.rollback()
    assert first.window is None
    assert look(first.horizon).window is None


def test_with_many_who_insert_at_once_nothing_is_lost_or_taken_twice() -> None:
    writers, rows = 4, 60

    def write(seed: int) -> int:
        random, total = Random(seed), 0  # noqa: S311 - a test
        with another_client() as client:
            for _ in range(rows):
                units = random.randint(1, 1000)
                insert(client, units=units)
                if random.random() < 0.2:
                    client.rollback()
                    continue
                if random.random() < 0.3:
                    client.execute("SELECT pg_sleep(%s)", [random.random() / 50])
                client.commit()
                total += units
        return total

    taken, horizon = 0, None
    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(write, seed) for seed in range(writers)]
        while not all(each.done() for each in running):
            found = look(horizon)
            taken, horizon = taken + units(found), found.horizon
        taken += units(look(horizon))
    assert taken == sum(each.result() for each in running) > 0


def test_a_look_whose_transaction_fails_took_nothing() -> None:
    store()
    before = look()
    store(units=2)
    with transaction.atomic():
        assert units(look(before.horizon)) == 2
        transaction.set_rollback(True)
    assert units(look(before.horizon)) == 2


def test_comparisons_of_the_stage_are_taken_once_by_how_they_ended() -> None:
    for outcome in Outcome:
        compare(outcome)
    compare(Outcome.CAUGHT_UP)
    compare(Outcome.DIVERGENT, captured_at=BEGAN - timedelta(seconds=1))
    compare(Outcome.DIVERGENT, endpoint="elsewhere")
    first = look()
    assert first.window == Window(2, compared=4, stale=2, divergent=1)
    compare(Outcome.EQUAL)
    ended = ShadowRead.objects.create(
        batch="00000000-0000-0000-0000-000000000000", captured_at=BEGAN, endpoint="names", model="shop.Product"
    )
    second = look(Horizon(first.horizon.snapshot, BEGAN))
    assert second.window == Window(2, compared=1)
    ShadowRead.objects.filter(pk=ended.pk).update(
        state=ShadowState.DONE, outcome=Outcome.DIVERGENT, compared_at=timezone.now()
    )
    assert look(Horizon(second.horizon.snapshot, BEGAN)).window == Window(2, compared=1, divergent=1)


def test_comparisons_of_a_model_are_found_by_the_model() -> None:
    compare(Outcome.EQUAL, endpoint="elsewhere")
    period = Period("model", "shop.Product", stage=0, revision=1, began_at=BEGAN)
    assert look(period=period).window == Window(0, compared=1)


def test_comparisons_that_say_nothing_are_no_data() -> None:
    compare(Outcome.INCONCLUSIVE)
    assert look().window is None


def test_a_horizon_is_stored_and_read_back() -> None:
    horizon = look().horizon
    assert Horizon.from_json(horizon.as_json()) == horizon


def test_a_horizon_of_a_database_that_was_restored_begins_anew() -> None:
    store()
    ahead = look().horizon.snapshot.next + 1_000_000
    found = look(Horizon(Snapshot(ahead, ahead), BEGAN))
    assert found.window is None
    store(units=2)
    assert units(look(found.horizon)) == 2


def test_history_comes_in_spans_and_stages_oldest_first() -> None:
    store(starts_at=BEGAN + timedelta(seconds=20), units=5, revision=9)
    store(starts_at=BEGAN, units=2)
    store(Side.PRIMARY, starts_at=BEGAN, units=3)
    store(starts_at=BEGAN + timedelta(seconds=60), units=9)
    compare(Outcome.CAUGHT_UP, compared_at=BEGAN + timedelta(seconds=12))
    found = list(
        recorded("endpoint", "names", BEGAN, BEGAN + timedelta(seconds=60), "default", stage_of=lambda it: it // 9)
    )
    none = histogram([])
    assert found == [
        Window(0, Arm(2, 0, none), Arm(3, 0, none)),
        Window(0, compared=1, stale=1),
        Window(1, Arm(5, 0, none), NO_UNITS),
    ]


def units(found: Measured) -> int:
    return found.window.replica.units if found.window is not None else 0


@contextmanager
def another_client() -> Iterator[psycopg.Connection[Any]]:
    """Another process's connection, which commits when it is told to."""
    address = connection.get_connection_params()
    keys = ("host", "port", "user", "dbname")
    with psycopg.connect(**{key: address[key] for key in keys if key in address}) as client:
        yield client


def insert(client: psycopg.Connection[Any], units: int) -> None:
    client.execute(
        "INSERT INTO readshift_armcount (starts_at, span_seconds, target_kind, target, side, revision, units, failed, "
        "durations, reads, fallbacks) VALUES (now(), 10, 'endpoint', 'names', 'replica', 7, %s, 0, '{}', 0, 0)",
        [units],
    )
