"""The panel of the debug toolbar, in a real toolbar, and what it is made of."""

import json
import os
import re
import subprocess
import sys
from html import unescape
from typing import Any

import pytest
from django.test import RequestFactory

from admin_ui import toolbar
from demo.shop.models import Product
from routers.blocks import unit_of_work
from routers.recording import MOST_QUERIES, Recording, recorded, recordings
from routers.subjects import RequestParty
from tests.edge_cases.test_failures import TERMINATE, during, replica_of
from tests.routers.test_replay import slow_on
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def look(path: str) -> dict[str, dict[str, str]]:
    """Return the page, and what the panel shows of it, in each way in which a project with the toolbar was asked."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.toolbar.settings"}
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.toolbar.look", path], env=environment, stdout=subprocess.PIPE, check=True
    )
    shown = json.loads(done.stdout)
    assert isinstance(shown, dict)
    return shown


def rows(panel: str) -> list[list[str]]:
    """Return the cells of the panel's rows as text."""
    return [
        [
            " ".join(unescape(re.sub("<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", panel, re.DOTALL)
    ]


def test_the_toolbar_shows_for_each_query_the_database_and_the_reason(shop: Servers) -> None:
    route("shop:product-list")
    shop.settle()
    shown = look("/")
    for way in ("sync", "async"):
        page, panel = shown[way]["page"], shown[way]["panel"]
        found = rows(panel)
        queries = [row for row in found if len(row) == 6]
        products = [row for row in queries if row[3] == "shop.Product"]
        assert products
        for alias, reason, endpoint, _, time, statement in products:
            assert alias in {"replica1", "replica2"}
            assert (reason, endpoint) == ("routed", "shop:product-list")
            assert re.fullmatch(r"[\d.]+ ms", time)
            assert statement.startswith("SELECT")
        totals = {(row[0], row[1]): int(row[3]) for row in found if len(row) == 4}
        assert sum(totals.values()) == len(queries)
        assert f"{totals[products[0][0], 'routed']} of {len(queries)} queries on replicas" in page
        assert "/admin/readshift_admin/dashboard/explain/?endpoint=shop%3Aproduct-list" in panel
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", panel)
    # Without the middleware there is no unit, and every read goes to the primary.
    assert {(row[0], row[1]) for row in rows(shown["bare"]["panel"]) if row} == {("default", "outside_unit")}


def test_a_read_that_another_server_answered_stands_there_for_both(shop: Servers) -> None:
    route("nightly", contract="any")
    with unit_of_work("nightly"):
        first = replica_of(shop)
        (other,) = (server for server in shop.cluster.replicas if server is not first)
        with recorded() as seen, during(shop, TERMINATE, on=first, runs="pg_sleep(60)"):
            assert list(slow_on(first.name)) == [0, 0]
    assert seen is not None
    stats = toolbar._stats(seen, RequestFactory().get("/"))
    assert [(row["alias"], row["reason"], row["is_replayed"]) for row in stats["queries"]] == [
        (other.name, "replayed", True),
        (first.name, "routed", False),
    ]
    assert stats["on_replicas"] == 2


def test_it_names_the_actor_unless_only_the_projects_own_function_knows_it(shop: Servers, settings: Any) -> None:
    request = RequestFactory().get("/")
    assert toolbar._stats(Recording(), request)["actor"] == RequestParty(request).actor
    settings.READSHIFT = {**settings.READSHIFT, "ACTOR": "tests.support.no_such_function"}
    assert toolbar._stats(Recording(), request)["actor"] == ""


def test_a_long_request_is_counted_in_full_and_listed_in_part(shop: Servers) -> None:
    with recorded() as seen:
        for _ in range(MOST_QUERIES + 3):
            Product.objects.exists()
    assert seen is not None
    stats = toolbar._stats(seen, RequestFactory().get("/"))
    assert (stats["count"], len(stats["queries"]), stats["left_out"]) == (MOST_QUERIES + 3, MOST_QUERIES, 3)
    assert recordings() == ()
