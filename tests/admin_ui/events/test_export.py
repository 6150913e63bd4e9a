"""The record as a file."""

import asyncio
import csv
import json
import tracemalloc
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import AsyncClient, Client

from admin_ui.events.export import CHUNK, COLUMNS
from rollout.models import Event, TallyKind
from routers.meter import meter
from tests.admin_ui.events.support import CSV, JSON_LINES, record

EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1"]  # noqa: RUF001 - the wide form is meant


def body(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(body(answer), newline="")))


@pytest.mark.django_db
class TestFiles:
    @pytest.mark.parametrize("evil", EVIL)
    def test_no_spreadsheet_runs_what_somebody_wrote(self, viewer: Client, evil: str) -> None:
        record(who=evil, why=evil, subject=evil)
        (row,) = rows(viewer.get(CSV))
        assert {row["who"], row["why"], row["subject"]} == {f"'{evil}"}

    def test_csv_holds_each_field_as_it_is(self, viewer: Client) -> None:
        (stored,) = record(why='a "quoted"\nreason, with ünïcode', measures={"lag": 2.5})
        answer = viewer.get(CSV)
        assert answer["Content-Disposition"] == 'attachment; filename="readshift-events.csv"'
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        (row,) = rows(answer)
        assert tuple(row) == COLUMNS
        assert (row["id"], row["at"], row["why"]) == (str(stored.pk), stored.at.isoformat(), stored.why)
        assert json.loads(row["after"]) == {"mode": "route"}
        assert json.loads(row["measures"]) == {"lag": 2.5}

    def test_json_lines_are_one_object_each(self, viewer: Client) -> None:
        stored = [*record(why="=1\nü"), *record(after={"users": ["3"]})]
        lines = [json.loads(line) for line in body(viewer.get(JSON_LINES)).splitlines()]
        assert [line["id"] for line in lines] == [stored[1].pk, stored[0].pk]
        assert (lines[1]["why"], lines[0]["after"]) == ("=1\nü", {"users": ["3"]})

    @pytest.mark.parametrize("address", [CSV, JSON_LINES])
    def test_what_the_filter_leaves_is_written_and_nothing_else(self, viewer: Client, address: str) -> None:
        record(2, who="ada")
        record(1, who="eve")
        written = body(viewer.get(f"{address}?who=eve"))
        assert ("eve" in written, "ada" in written) == (True, False)

    def test_nothing_is_a_head_alone(self, viewer: Client) -> None:
        assert body(viewer.get(CSV)) == ",".join(COLUMNS) + "\r\n"
        assert body(viewer.get(JSON_LINES)) == ""

    def test_all_events_are_written_while_little_is_held(self, viewer: Client) -> None:
        for _ in range(12):
            record(CHUNK, why="w" * 1_000)
        answer = viewer.get(CSV)
        tracemalloc.start()
        try:
            lines = sum(part.count(b"\r\n") for part in answer.streaming_content)  # type: ignore[attr-defined]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert lines == 12 * CHUNK + 1
        assert peak < 12 * CHUNK * 1_000

    @pytest.mark.parametrize("address", [CSV, JSON_LINES])
    def test_missing_tables_ask_for_migrate(self, viewer: Client, address: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE readshift_event RENAME TO gone")
        assert "manage.py migrate --database default" in viewer.get(address).content.decode()

    def test_its_own_reads_are_not_counted(self, viewer: Client) -> None:
        record(CHUNK + 1)
        answer = viewer.get(CSV)
        meter.take()
        body(answer)
        assert [series for series in meter.take() if series.kind == TallyKind.READ] == []


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_server_sends_it_in_parts_as_well() -> None:
    record(CHUNK + 1)
    client = AsyncClient()
    client.force_login(User.objects.create_superuser("root"))

    async def sizes() -> list[int]:
        answer = await client.get(JSON_LINES)
        found = [part.count(b"\n") async for part in answer.streaming_content]  # type: ignore[attr-defined]
        await sync_to_async(connections.close_all)()
        return found

    assert asyncio.run(sizes()) == [CHUNK, 1]
    assert Event.objects.count() == CHUNK + 1
