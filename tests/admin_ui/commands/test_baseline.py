"""`manage.py readshift baseline`."""

import json
import re
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from rollout.models import Baseline, EndpointCount
from rollout.windows import bucket_of
from routers.agent import Agent
from routers.meter import Meter
from tests.support import Servers, route

pytestmark = pytest.mark.django_db


def record(minutes_ago: int, milliseconds: float, units: int = 1_000, endpoint: str = "names", span: int = 60) -> None:
    now = timezone.now()
    EndpointCount.objects.create(
        starts_at=now - timedelta(seconds=now.timestamp() % span, minutes=minutes_ago), span_seconds=span,
        endpoint=endpoint, units=units, durations={bucket_of(milliseconds / 1_000): units},
    )  # fmt: skip


def run(*arguments: str) -> tuple[str, int]:
    out, code = StringIO(), 0
    try:
        call_command("readshift", "baseline", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return out.getvalue().replace("\N{NARROW NO-BREAK SPACE}", " "), code


def refused(*arguments: str) -> tuple[str, int]:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return str(error.value), error.value.returncode


def ago(minutes: int) -> str:
    return (timezone.now() - timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def kept() -> Baseline:
    """Half an hour of an endpoint that takes 10 ms, up to an hour ago."""
    record(80, 10)
    assert run("save", "before", "--from", ago(90), "--to", ago(60))[1] == 0
    return Baseline.objects.get()


class TestSave:
    def test_it_keeps_what_was_counted(self, kept: Baseline) -> None:
        assert (kept.name, list(kept.endpoints)) == ("before", ["names"])
        assert kept.endpoints["names"]["units"] == 1_000
        assert 30 <= (kept.ends_at - kept.starts_at).total_seconds() / 60 <= 31
        assert kept.made_by
        text, code = run("list")
        assert code == 0
        assert text.startswith("before  1 000 units of 1 endpoint")
        (listed,) = json.loads(run("list", "--json")[0])["baselines"]
        assert (listed["units"], listed["endpoints"]) == (1_000, 1)

    def test_by_default_it_is_the_last_hour(self) -> None:
        record(70, 10)
        record(50, 10, units=5)
        found = json.loads(run("save", "now", "--json")[0])
        assert found["units"] == 5
        begins, ends = (datetime.fromisoformat(found[name]) for name in ("from", "to"))
        assert ends - begins == timedelta(hours=1)

    def test_a_length_counts_from_where_it_begins(self) -> None:
        record(50, 10, units=5)
        record(10, 10, units=7)
        found = json.loads(run("save", "then", "--from", ago(60), "--minutes", "20", "--json")[0])
        assert found["units"] == 5

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("save", "before"), "There is a baseline “before” already"),
            (("save", " "), "cannot name a baseline"),
            (("save", "x" * 101), "cannot name a baseline"),
            (("save", "later", "--minutes", "5"), "Nothing was counted"),
            (("save", "later", "--minutes", "0"), "too short"),
            (("save", "later", "--from", "yesterday"), "“yesterday” is no time"),
            (("save", "later", "--from", "2026-13-01T00:00"), "“2026-13-01T00:00” is no time"),
            (("save", "later", "--from", "2100-01-01T00:00"), "which is not after"),
            (("save", "later", "--from", ago(9), "--to", ago(5), "--minutes", "9"), "Leave out the length"),
        ],
    )
    def test_what_cannot_be_kept_is_refused(self, kept: Baseline, arguments: tuple[str, ...], words: str) -> None:
        record(30, 10)
        message, code = refused(*arguments)
        assert words in message
        assert code == 2
        assert Baseline.objects.count() == 1


class TestCompare:
    def test_what_is_worse_ends_with_1(self, kept: Baseline) -> None:
        record(10, 30)
        text, code = run("compare", "before")
        assert code == 1
        assert text.startswith("1 of 1 endpoint is worse by more than 25 %.")
        assert "names: worse" in text
        assert re.search(r"50 % of its units took 1\d ms at most, and then 3\d ms: 3 times as long\.", text)

    def test_what_is_not_ends_with_0(self, kept: Baseline) -> None:
        record(10, 30)
        assert run("compare", "before", "--margin", "5")[1] == 0
        record(10, 10, units=900_000)
        assert run("compare", "before")[1] == 0

    def test_what_cannot_be_told_ends_with_2(self, kept: Baseline) -> None:
        assert run("compare", "before")[1] == 2
        record(10, 30, units=5)
        text, code = run("compare", "before")
        assert code == 2
        assert text.startswith("Nothing can be said")

    def test_the_later_window_is_as_long_unless_told_otherwise(self, kept: Baseline) -> None:
        record(45, 30)
        assert run("compare", "before")[1] == 2
        assert run("compare", "before", "--minutes", "50")[1] == 1
        assert run("compare", "before", "--from", ago(50), "--to", ago(40))[1] == 1

    def test_programs_and_tickets_are_told_the_same(self, kept: Baseline) -> None:
        record(10, 30)
        found: dict[str, Any] = json.loads(run("compare", "before", "--json")[0])
        (change,) = found["endpoints"]
        assert (found["verdict"], change["verdict"], change["before"]["units"]) == ("worse", "worse", 1_000)
        assert change["seconds"]["p95"]["ratio"] == pytest.approx(3, rel=0.2)
        text, code = run("compare", "before", "--markdown")
        assert code == 1
        assert text.startswith("# Baseline `before` compared\n\n**1 of 1 endpoint is worse")
        assert "| `names` | **worse** |" in text

    def test_a_window_that_overlaps_is_refused(self, kept: Baseline) -> None:
        message, code = refused("compare", "before", "--minutes", "80")
        assert "overlaps that of the baseline" in message
        assert code == 2

    def test_so_is_a_margin_below_nothing(self, kept: Baseline) -> None:
        assert "is no number of shares" in refused("compare", "before", "--margin", "-1")[0]

    def test_counts_that_are_kept_by_the_hour_are_taken_by_the_hour(self, kept: Baseline) -> None:
        record(3 * 24 * 60, 30, span=3600)
        hour = EndpointCount.objects.get(span_seconds=3600).starts_at
        asked = [(hour + timedelta(minutes=minutes)).isoformat() for minutes in (10, 20)]
        found = json.loads(run("compare", "before", "--from", asked[0], "--to", asked[1], "--json")[0])
        assert found["after"]["minutes"] == 60
        assert found["after"]["units"] == 1_000


class TestNames:
    @pytest.mark.parametrize("action", ["compare", "delete"])
    def test_an_unknown_one_ends_with_3(self, kept: Baseline, action: str) -> None:
        message, code = refused(action, "other")
        assert message == "There is no baseline “other”. The baselines are: before."
        assert code == 3

    def test_one_can_be_deleted(self, kept: Baseline) -> None:
        assert run("delete", "before") == ("Deleted “before”.\n", 0)
        assert not Baseline.objects.exists()
        assert "No baseline was kept yet" in run("list")[0]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_real_requests_are_kept_and_compared(shop: Servers, client: Client) -> None:
    def serve() -> None:
        for _ in range(25):
            client.get("/test/names/")
        Agent(Meter()).flush()
        # A span of counts is over, and so belongs to a whole minute that has passed.
        EndpointCount.objects.filter(starts_at__gt=timezone.now() - timedelta(minutes=1)).update(
            starts_at=timezone.now() - timedelta(minutes=2)
        )

    serve()
    run("save", "primary", "--minutes", "5")
    EndpointCount.objects.all().delete()
    Baseline.objects.update(
        starts_at=timezone.now() - timedelta(minutes=60), ends_at=timezone.now() - timedelta(minutes=50)
    )
    route("names")
    serve()
    found = json.loads(run("compare", "primary", "--json")[0])
    (change,) = [one for one in found["endpoints"] if one["endpoint"] == "names"]
    assert (change["before"]["units"], change["after"]["units"]) == (25, 25)
    assert change["seconds"]["p50"]["before"] > 0
