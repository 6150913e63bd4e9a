"""Faults that are planted on a logical subscriber are found, with their cause, and told without what they hold."""

from collections.abc import Iterator
from typing import Any

import pytest

from demo.cluster import Cluster
from demo.waiting import wait_until
from rollout.models import ShadowRead
from rollout.outcomes import Outcome, ShadowCause
from routers.captured import CapturedStatement
from tasks.comparing.comparisons import compare_reads
from tasks.comparing.results import Result
from tests.tasks.comparing.conftest import leading_to, meanwhile

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

BY_ID = b"SELECT id, name FROM thing ORDER BY id"
OF_ROLE = b"SELECT id, (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') AS zone FROM thing"
COUNT = b"SELECT count(*) FROM thing"
MANY = b"SELECT id + n AS id, name FROM thing, generate_series(0, 19000, 10) AS n"


@pytest.fixture
def copying(publishing: Cluster) -> Iterator[Cluster]:
    """The publisher as the primary, and the subscriber, which has all that it has, as one of its replicas."""
    with leading_to("default", publishing.primary, "postgres"), leading_to("replica1", publishing.primary, "copy"):
        wait_until(lambda: compared(BY_ID).outcome is Outcome.EQUAL, 60, "the table to be copied")
        yield publishing


def compared(query: bytes) -> Result:
    """Compare a statement on both and return how that ended."""
    read = ShadowRead(pk=1, cluster="default", fingerprint="0" * 16, sealed=CapturedStatement(query).sealed())
    ((_, result),) = compare_reads("default", "replica1", [read])
    return result


def plant(cluster: Cluster, statement: str) -> None:
    """Do something on the subscriber alone."""
    cluster.primary.query(statement, dbname="copy")


@pytest.mark.parametrize(
    ("fault", "query", "cause"),
    [
        ("DELETE FROM thing WHERE id = 2", BY_ID, ShadowCause.MISSING_ROW),
        ("INSERT INTO thing VALUES (3, 'extra')", BY_ID, ShadowCause.EXTRA_ROW),
        ("UPDATE thing SET name = 'secret' WHERE id = 2", BY_ID, ShadowCause.CHANGED_COLUMN),
        ("UPDATE thing SET name = name || 'secret'", BY_ID, ShadowCause.CHANGED_COLUMN),
        ("UPDATE thing SET name = 'secret' WHERE id = 2", MANY, ShadowCause.CHANGED_COLUMN),
        ("DELETE FROM thing WHERE id = 2", COUNT, ShadowCause.CHANGED_COLUMN),
        ("ALTER TABLE thing ALTER name TYPE varchar(9)", BY_ID, ShadowCause.TYPE),
        ("ALTER ROLE postgres IN DATABASE copy SET timezone TO 'Asia/Tokyo'", OF_ROLE, ShadowCause.SETTINGS),
    ],
    ids=["missing", "extra", "changed", "column", "many rows", "count", "type", "zone of the role"],
)
def test_a_planted_fault_is_found_with_its_cause(
    copying: Cluster, settings: Any, fault: str, query: bytes, cause: ShadowCause
) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_ROWS": 1_000}
    assert compared(query).outcome is Outcome.EQUAL
    plant(copying, fault)
    result = compared(query)
    assert (result.outcome, result.cause) == (Outcome.DIVERGENT, cause)
    assert result.replica == "replica1"
    assert "secret" not in str(result.details)


def test_values_are_told_of_columns_that_the_host_has_allowed(copying: Cluster, settings: Any) -> None:
    plant(copying, "UPDATE thing SET name = 'shown' WHERE id = 2")
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_COLUMNS": ["thing.name"]}
    (example,) = compared(BY_ID).details["examples"]["changed"]
    assert example["replica"] == [{"column": "name", "value": "shown"}]
    assert "value" not in example["key"][0]


def test_a_subscriber_that_lags_has_caught_up(copying: Cluster, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_WAIT_SECONDS": 60}
    outcomes, primary = [], copying.primary
    # Commits, so that what statements leave in the log is written out.
    with meanwhile(lambda: primary.query("SELECT pg_logical_emit_message(true, 'test', '')")):
        for number in range(3, 30):
            primary.query("INSERT INTO thing VALUES (%s, 'another')", [number])
            outcomes.append(compared(BY_ID).outcome)
    assert set(outcomes) <= {Outcome.EQUAL, Outcome.CAUGHT_UP}


@pytest.mark.parametrize(
    "query",
    [b"SELECT name FROM thing ORDER BY name LIMIT 1", b"SELECT id FROM thing ORDER BY name"],
    ids=["which rows", "which order"],
)
def test_ties_that_a_server_may_break_as_it_likes_are_no_finding(copying: Cluster, query: bytes) -> None:
    for database in ("postgres", "copy"):
        copying.primary.query("CREATE INDEX ON thing (name, id DESC)", dbname=database)
    copying.primary.query("TRUNCATE thing")
    copying.primary.query("INSERT INTO thing SELECT n, 'same' FROM generate_series(1, 50) AS n")
    compared(BY_ID)
    # In another order on disk: the subscriber answers otherwise, and is right.
    plant(copying, "UPDATE thing SET name = 'same' WHERE id < 25")
    result = compared(query.replace(b"SELECT name", b"SELECT id"))
    assert result.outcome in {Outcome.EQUAL, Outcome.INCONCLUSIVE}
    assert result.cause in {None, ShadowCause.NONDETERMINISTIC}
