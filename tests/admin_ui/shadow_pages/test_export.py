"""Downloads: what is in them, what is not, and that no spreadsheet runs it."""

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from admin_ui.shadow_pages import export
from admin_ui.shadow_pages.export import read_exported
from rollout.models import ShadowRead, TallyKind
from routers.meter import meter
from tests.admin_ui.shadow_pages.support import CSV, JSON, diverged, downloaded, observing
from tests.tasks.reporting.reported import store

pytestmark = pytest.mark.django_db


def table(client: Client, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(downloaded(client, CSV + query))))


def content(client: Client, query: str = "") -> Any:
    return json.loads(downloaded(client, JSON + query))


def test_both_hold_what_the_list_was_filtered_by(viewer: Client) -> None:
    rule = observing()
    store(2)
    (read,) = diverged(position=0x1_2345_0000)
    diverged(endpoint="names")
    query = f"?rule={rule.pk}&outcome=divergent"
    (row,), found = table(viewer, query), content(viewer, query)
    assert (row["id"], row["outcome"], row["position"], row["staleness_ms"]) == (
        str(read.pk),
        "divergent",
        "1/23450000",
        "",
    )
    (same,) = found["reads"]
    assert found["asked"] == {"rule": str(rule.pk), "outcome": "divergent", "cause": "", "looked": "", "span": "7d"}
    assert same.keys() == row.keys()
    assert (same["id"], same["primary_ms"], same["looked_at"]) == (read.pk, 2.0, None)
    assert read.compared_at is not None
    assert same["compared_at"] == read.compared_at.isoformat()


def test_a_download_is_a_file(viewer: Client) -> None:
    for address, kind in ((CSV, "text/csv"), (JSON, "application/json")):
        response: Any = viewer.get(address)
        assert response["Content-Type"].startswith(kind)
        assert response["Content-Disposition"].startswith('attachment; filename="shadow-reads.')
        b"".join(response.streaming_content)


def test_it_is_whole_without_reads(viewer: Client) -> None:
    assert table(viewer) == []
    assert content(viewer)["reads"] == []


def test_a_choice_that_nobody_understands_is_refused(viewer: Client) -> None:
    store(1)
    for address in (CSV, JSON):
        response = viewer.get(f"{address}?outcome=broken")
        assert response.status_code == 400
        assert "There is no outcome “broken”" in response.content.decode()


def test_it_is_read_in_batches_and_ends_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "BATCH", 3)
    moment = store(1)[0].compared_at
    store(6, compared_at=moment)
    wanted = list(ShadowRead.objects.order_by("-compared_at", "-pk").values_list("pk", flat=True))
    for most, queries in ((100, 3), (5, 2), (6, 2), (0, 0)):
        with CaptureQueriesContext(connection) as captured:
            assert [row["id"] for row in read_exported(ShadowRead.objects.all(), most)] == wanted[:most]
        assert len(captured) == queries


def test_its_own_queries_are_not_counted(viewer: Client) -> None:
    store(1)
    response: Any = viewer.get(CSV)
    meter.take()
    b"".join(response.streaming_content)
    assert [series for series in meter.take() if series.kind == TallyKind.READ] == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_spreadsheet_takes_a_text_for_a_formula(viewer: Client, start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    diverged(look_note=evil, endpoint=evil, statement=evil)
    (row,) = csv.DictReader(io.StringIO(downloaded(viewer, CSV), newline=""))
    assert (row["look_note"], row["endpoint"], row["statement"]) == (f"'{evil}",) * 3
    assert content(viewer)["reads"][0]["look_note"] == evil
