"""How long shadow reads are kept, and what of them."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import Outcome
from rollout.settings import get_settings
from tasks.reporting import retention
from tasks.reporting.retention import (
    VALUE_KEY,
    drop_beyond,
    drop_compared_before,
    drop_open_before,
    forget_values_before,
    retain_shadow_reads,
    without_values,
)
from tasks.statistics import retain
from tests.support import Servers
from tests.tasks.reporting.reported import sealed, store

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EXAMPLE = {"row": 3, "primary": [{"column": "price"}], "key": [{"column": "id", "hash": "6f0e"}]}
WITH_VALUES = {"examples": [EXAMPLE | {"primary": [{"column": "price", "value": "9.99"}]}], "missing": 1}
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([VALUE_KEY, "examples", "column"]), inner),
)


def kept() -> set[int]:
    return set(ShadowRead.objects.values_list("pk", flat=True))


def pks(*groups: list[ShadowRead]) -> set[int]:
    return {read.pk for group in groups for read in group}


@pytest.mark.django_db
def test_compared_reads_are_kept_as_long_as_counts_are(settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "RETENTION_DAYS": 2}
    store(3, age=DAY * 2 + HOUR)
    young = store(2, age=DAY * 2 - HOUR)
    assert retain.delay().get() == 3
    assert kept() == pks(young)
    assert retain.delay().get() == 0


@pytest.mark.django_db
def test_open_reads_are_given_up_after_a_day_and_compared_ones_are_not() -> None:
    store(1, age=DAY + HOUR, state=ShadowState.WAITING)
    store(1, age=DAY + HOUR, state=ShadowState.CLAIMED)
    waiting = store(2, age=DAY - HOUR, state=ShadowState.WAITING)
    compared = store(1, age=DAY + HOUR)
    assert retain.delay().get() == 2
    assert kept() == pks(waiting, compared)


@pytest.mark.django_db
def test_only_the_newest_are_kept(settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_REPORTS": 3}
    store(4, age=HOUR)
    (newer,) = store(1, age=HOUR / 2)
    waiting = store(5, age=HOUR * 2, state=ShadowState.WAITING)
    newest = store(2)
    assert retain.delay().get() == 4
    assert kept() == pks([newer], waiting, newest)


@pytest.mark.django_db
def test_of_reads_compared_at_the_same_moment_so_many_are_kept_as_fit() -> None:
    moment = timezone.now()
    reads = store(5, compared_at=moment)
    assert drop_beyond(2, "default") == 3
    assert kept() == pks(reads[3:])
    assert drop_beyond(2, "default") == 0
    assert drop_beyond(0, "default") == 2


@pytest.mark.django_db
def test_values_and_statements_are_forgotten_after_their_days_and_the_rest_stays(settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_VALUES_DAYS": 2}
    (old,) = store(1, age=DAY * 2 + HOUR, sealed=sealed(), details=WITH_VALUES, outcome=Outcome.DIVERGENT)
    (sealed_alone,) = store(1, age=DAY * 2 + HOUR, sealed=sealed(), details={"missing": 2})
    (values_alone,) = store(1, age=DAY * 2 + HOUR, details=WITH_VALUES)
    (young,) = store(1, age=DAY * 2 - HOUR, sealed=sealed(), details=WITH_VALUES)
    (waiting,) = store(1, state=ShadowState.WAITING, sealed=sealed())
    assert retain.delay().get() == 0
    found = {read.pk: (read.sealed is not None, read.details) for read in ShadowRead.objects.all()}
    without = {"examples": [EXAMPLE], "missing": 1}
    assert found == {
        old.pk: (False, without),
        sealed_alone.pk: (False, {"missing": 2}),
        values_alone.pk: (False, without),
        young.pk: (True, WITH_VALUES),
        waiting.pk: (True, {}),
    }
    assert ShadowRead.objects.get(pk=old.pk).outcome == Outcome.DIVERGENT


@pytest.mark.django_db
def test_values_are_forgotten_batch_by_batch_until_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    store(5, age=HOUR, sealed=sealed())
    assert forget_values_before(timezone.now(), "default") == 5
    assert not ShadowRead.objects.filter(sealed__isnull=False).exists()
    assert forget_values_before(timezone.now(), "default") == 0


@pytest.mark.django_db
def test_deleting_fetches_no_row() -> None:
    store(3, age=HOUR, sealed=sealed())
    with CaptureQueriesContext(connection) as captured:
        assert drop_compared_before(timezone.now(), "default") == 3
    statements = [query["sql"] for query in captured if "readshift_shadowread" in query["sql"]]
    assert [statement.split()[0] for statement in statements] == ["DELETE"]


@pytest.mark.django_db
def test_nothing_to_do_does_nothing() -> None:
    reads = store(2, sealed=sealed())
    assert retain_shadow_reads(timezone.now(), get_settings(), "default") == 0
    assert kept() == pks(reads)


@given(NESTED)
def test_no_depth_hides_a_value(details: Any) -> None:
    def keys(content: Any) -> set[str]:
        if isinstance(content, dict):
            return set(content).union(*map(keys, content.values()))
        return set().union(*map(keys, content)) if isinstance(content, list) else set()

    cleaned = without_values(details)
    assert VALUE_KEY not in keys(cleaned)
    assert without_values(cleaned) == cleaned
    if VALUE_KEY not in keys(details):
        assert cleaned == details


@pytest.mark.django_db
@given(NESTED)
def test_the_database_finds_exactly_what_holds_values(details: Any) -> None:
    ShadowRead.objects.all().delete()
    # PostgreSQL stores no NUL in JSON.
    details = json.loads(json.dumps(details).replace("\\u0000", ""))
    store(1, age=HOUR, details={"found": details})
    assert forget_values_before(timezone.now(), "default") == (without_values(details) != details)


@pytest.mark.parametrize(
    "work",
    [
        lambda: drop_compared_before(timezone.now(), "default"),
        lambda: drop_beyond(0, "default"),
        lambda: forget_values_before(timezone.now(), "default"),
        lambda: drop_open_before(timezone.now(), "default"),
    ],
    ids=["compared", "beyond", "values", "open"],
)
def test_a_run_leaves_rows_that_another_run_is_at_work_on_to_that_one(servers: Servers, work: Any) -> None:
    reads = store(2, age=HOUR, sealed=sealed()) + store(2, age=HOUR, state=ShadowState.WAITING)
    found: list[int] = []

    def run() -> None:
        try:
            with connection.cursor() as cursor:
                # Whoever waits for the other run's locks would do so for ever.
                cursor.execute("SET lock_timeout = '1ms'")
            found.append(work())
        finally:
            connections.close_all()

    with transaction.atomic():
        held = ShadowRead.objects.select_for_update().filter(pk__in=[reads[0].pk, reads[2].pk])
        assert len(held) == 2
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert found == [1]
    assert work() == 1
