"""The page of one shadow read: both sides, what of it may be seen by whom and how long, and how to repeat it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rollout.models import ShadowRead, ShadowState, TargetKind
from rollout.outcomes import Outcome, ShadowCause
from rollout.settings import get_settings
from tests.admin_ui.shadow_pages.support import DETAILS, HASH, LIST, SECRET, SHOWN, detail, diverged, observing, page
from tests.admin_ui.support import queries_of, text
from tests.tasks.reporting.reported import STATEMENT, sealed, store

pytestmark = pytest.mark.django_db

TIMES = "\N{MULTIPLICATION SIGN}"


def report(client: Client, read: ShadowRead) -> Any:
    return client.get(detail(read)).context["report"]


def test_both_sides_stand_beside_each_other_by_cause(operator: Client) -> None:
    (read,) = diverged()
    groups = {group.cause: group for group in report(operator, read).difference.groups}
    changed, missing, extra, setup = groups.values()
    assert [*groups] == [
        "Columns of a row differ",
        "The replica lacks rows",
        "The replica has rows that the primary has not",
        "The servers are set up differently",
    ]
    (line,) = changed.lines
    assert (changed.count, changed.note) == (12, "Shown: the first 1.")
    assert (line.about, line.key[0].text) == ("row 4, row 5 on the replica", HASH)
    assert [(cell.column, cell.text, cell.kind) for cell in (*line.primary, *line.replica)] == [
        ("price", SHOWN, "value"),
        ("price", "NULL", "word"),
    ]
    assert (missing.lines[0].primary[0].text, missing.lines[0].replica) == (HASH, ())
    assert (extra.lines[0].primary, extra.lines[0].replica[0].text) == ((), HASH)
    assert (setup.lines[0].about, setup.lines[0].replica[0].text) == ("TimeZone", "Asia/Tokyo")
    found = page(operator, detail(read))
    for words in (
        "Divergent: the replica differs",
        "has none",
        f"#{HASH}",
        "price in 12 rows",
        f"again 6{TIMES}",
    ):
        assert words in found


def test_it_says_what_each_server_said_and_where_it_was(viewer: Client) -> None:
    (read,) = diverged(position=0x1_2345_0000, rows=20, tries=2, alias="replica2")
    sides = {side.name: (side.primary, side.replica) for side in report(viewer, read).sides}
    assert sides == {
        "Server": ("default", "replica1"),
        "Took": ("2\u202fms", "3\u202fms"),
        "Rows": ("20", "19"),
        "Position when last read": ("1/23456789", "1/23459789"),
        "Distance": ("", "12 kB ahead of what the primary showed"),
        "Position when captured": ("", "1/23450000"),
    }
    facts = dict(report(viewer, read).facts)
    assert facts["Attempts"] == f"claimed by a worker 2{TIMES}, looked at again 6{TIMES}"
    assert facts["Captured"].endswith("answered by replica2 (Observed only: a replica would have served it)")


def test_staleness_is_in_milliseconds(viewer: Client) -> None:
    (read,) = store(1, outcome=Outcome.CAUGHT_UP, staleness_ms=40.2)
    assert "40 ms after the primary, the replica gave the same answer" in page(viewer, detail(read))


def test_values_of_allowed_columns_are_shown_to_those_who_may_take_reads_back(
    viewer: Client, editor: Client, rollbacker: Client, operator: Client
) -> None:
    (read,) = diverged()
    for client in (rollbacker, operator):
        assert SHOWN in page(client, detail(read))
    for client in (viewer, editor):
        found = page(client, detail(read))
        assert SHOWN not in found
        assert "withheld" in found
        assert HASH in found


def test_values_go_when_they_are_due_even_if_nothing_forgets_them(operator: Client, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_VALUES_DAYS": 2}
    (young,), (old,) = diverged(age=timedelta(days=1.9)), diverged(age=timedelta(days=2.1))
    assert SHOWN in page(operator, detail(young))
    assert report(operator, young).recipe
    found = page(operator, detail(old))
    assert SHOWN not in found
    assert "not kept any more" in found
    assert 'READSHIFT["SHADOW_VALUES_DAYS"] = 2 days' in found
    assert report(operator, old).recipe is None


def test_what_was_captured_is_never_shown(superuser: Client) -> None:
    (read,) = diverged()
    found = page(superuser, detail(read))
    assert SECRET not in found
    assert STATEMENT in found


def test_the_recipe_repeats_it_by_command_and_by_hand(viewer: Client) -> None:
    (read,) = diverged()
    found = page(viewer, detail(read))
    assert f"manage.py readshift replay {read.pk}</pre>" in found
    assert f"manage.py readshift replay {read.pk} --reveal</pre>" in found
    assert f"SELECT pg_current_wal_insert_lsn();\n{STATEMENT};\nCOMMIT;" in found
    assert f"SELECT pg_last_wal_replay_lsn();\n{STATEMENT};" in found


def test_a_read_whose_statement_went_has_no_recipe(viewer: Client) -> None:
    (read,) = store(1)
    found = page(viewer, detail(read))
    assert "manage.py readshift replay" not in found
    assert "It cannot be repeated" in found
    assert "it goes as soon as the servers agree" in found


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"functions": ["pg_catalog.random"]}, "pg_catalog.random"),
        ({"error": "57014 QueryCanceled"}, "57014 QueryCanceled"),
        ({"state": "lag_unknown"}, "lag unknown"),
        ({"rows": {"primary": 5, "replica": 5}, "order": {"first": 1, "end": 4}}, "from row 2 to row 4"),
        ({"rows": {"primary": 5, "replica": 5}, "buckets": 7, "is_sample": True}, "digests of 7 groups of rows differ"),
        (
            {"columns": [{"number": 1, "primary": {"name": "price", "type": 1700}, "replica": None}]},
            '<span class="rs-value">numeric</span>',
        ),
        ({"columns": [{"number": 0, "primary": {"name": "kind", "type": 17000}, "replica": None}]}, "type 17000"),
    ],
    ids=["functions", "error", "state", "order", "digests", "type", "own type"],
)
def test_every_form_of_a_result_is_said(viewer: Client, details: dict[str, Any], words: str) -> None:
    (read,) = diverged(details=details)
    assert words in page(viewer, detail(read))


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"missing": "many", "columns": ["price", {"name": "x"}, None], "examples": [1]},
        {"examples": {"changed": [{"row": None, "primary": "x"}, 7]}, "changed": True, "positions": [1]},
        {"order": [], "surroundings": {"name": "x"}, "rows": 4, "brackets": "six", "functions": "f"},
    ],
    ids=["nothing", "other types", "half of it", "other forms"],
)
def test_what_another_release_has_stored_fails_nothing(viewer: Client, details: dict[str, Any]) -> None:
    (read,) = diverged(details=details)
    assert page(viewer, detail(read))


def test_what_a_row_or_a_statement_holds_is_no_markup(operator: Client) -> None:
    evil = "<script>alert(1)</script>"
    cells = [{"column": evil, "value": evil}]
    (read,) = diverged(
        statement=f"SELECT {evil}",
        endpoint=evil,
        replica=evil,
        look_note=evil,
        looked_by=evil,
        looked_at=timezone.now(),
        details={"missing": 1, "examples": {"missing": [{"row": 1, "cells": cells}]}, "error": evil},
    )
    body = operator.get(detail(read)).content
    assert body.count(b"&lt;script&gt;alert(1)") >= 9
    assert b"<script>alert" not in body


def test_a_read_that_waits_says_so(viewer: Client) -> None:
    (read,) = store(1, state=ShadowState.WAITING, sealed=sealed())
    found = page(viewer, detail(read))
    assert "Waiting for a worker" in found
    assert "It was not compared yet." in found


def test_a_read_that_is_gone_is_said_to_be_with_what_is_kept(viewer: Client) -> None:
    response = viewer.get(f"{LIST}4711/")
    assert response.status_code == 404
    assert f"There is no shadow read 4711. Reads are kept for {get_settings().retention_days:g} days" in text(response)


def test_it_leads_to_its_rules_and_to_what_ended_likewise(viewer: Client) -> None:
    rule, model = observing(), observing("shop.Product", TargetKind.MODEL)
    (read,) = diverged(cause=ShadowCause.ORDER)
    body = viewer.get(detail(read)).content.decode()
    assert f'<a href="{LIST}?rule={rule.pk}">' in body
    assert f'<a href="{LIST}?rule={model.pk}">' in body
    assert f"{LIST}?rule={rule.pk}&amp;outcome=divergent&amp;cause=order&amp;span=all" in body


def test_the_number_of_queries_does_not_depend_on_what_was_found(superuser: Client) -> None:
    observing()
    (few,) = store(1)
    (many,) = diverged(details={**DETAILS, "examples": {"missing": DETAILS["examples"]["missing"] * 10}})  # type: ignore[index]
    assert queries_of(superuser, detail(few)) == queries_of(superuser, detail(many)) <= 8
