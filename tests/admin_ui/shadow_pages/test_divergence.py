"""Pages of reads that real servers answered differently."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from demo.cluster import Cluster
from demo.waiting import wait_until
from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import Outcome
from routers.captured import CapturedStatement
from tasks.comparing.claims import settle
from tasks.comparing.comparisons import compare_reads
from tasks.comparing.results import Result
from tests.admin_ui.shadow_pages.support import detail, page
from tests.support import Servers
from tests.tasks.comparing.conftest import leading_to, running_publisher
from tests.tasks.reporting.reported import shadow_read

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

THINGS = b"SELECT id, name FROM thing ORDER BY id"


@pytest.fixture
def copying(servers: Servers) -> Iterator[Cluster]:
    """A publisher as the primary, and a subscriber, which has all that it has, as one of its replicas."""
    with running_publisher() as started:
        server = started.primary
        with leading_to("default", server, "postgres"), leading_to("replica1", server, "copy"):
            wait_until(lambda: compared().outcome is Outcome.EQUAL, 60, "the table to be copied")
            yield started


def compared() -> Result:
    read = ShadowRead(pk=1, cluster="default", fingerprint="0" * 16, sealed=CapturedStatement(THINGS).sealed())
    ((_, result),) = compare_reads("default", "replica1", [read])
    return result


def stored(result: Result) -> ShadowRead:
    """Store what was found, as a worker does."""
    claimed: dict[str, Any] = {"state": ShadowState.CLAIMED, "claim": uuid4(), "tries": 1}
    read = shadow_read(sealed=CapturedStatement(THINGS).sealed(), statement=THINGS.decode(), **claimed)
    read.save()
    assert settle(read, result)
    return read


def test_faults_that_are_planted_are_seen_side_by_side(copying: Cluster, operator: Client, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_COLUMNS": ["thing.name"]}
    copying.primary.query("UPDATE thing SET name = 'another' WHERE id = 2", dbname="copy")
    copying.primary.query("INSERT INTO thing VALUES (3, 'extra')", dbname="copy")
    both = stored(compared())
    copying.primary.query("ALTER TABLE thing ALTER name TYPE varchar(9)", dbname="copy")
    of_type = stored(compared())

    report = operator.get(detail(both)).context["report"]
    changed, extra = report.difference.groups[:2]
    ((line,), (added,)) = changed.lines, extra.lines
    assert [cell.text for cell in (*line.primary, *line.replica)] == ["two", "another"]
    assert ([cell.kind for cell in line.key], line.about) == (["hash"], "row 2")
    assert ([cell.text for cell in added.replica][1:], added.primary) == (["extra"], ())
    sides = {side.name: (side.primary, side.replica) for side in report.sides}
    assert (sides["Server"], sides["Rows"]) == (("default", "replica1"), ("2", "3"))
    assert all("/" in position for position in sides["Position when last read"])
    assert "Divergent: the replica differs" in page(operator, detail(both))

    (group,) = operator.get(detail(of_type)).context["report"].difference.groups
    assert [(one.about, one.primary[0].text, one.replica[0].text) for one in group.lines] == [
        ("column 2", "text", "varchar")
    ]
    assert group.cause == "Columns or their types differ"
