"""`manage.py readshift status`."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from waffle.models import Switch

from rollout import operations, plans
from rollout.models import GateKind, Mode, Process
from rollout.models.process import Identity
from rollout.reasons import Reason
from tests.admin_ui.support import count_reads, flag
from tests.rollout.support import create_flag
from tests.support import Servers, route

KEYS = {
    "at",
    "level",
    "headline",
    "details",
    "revision",
    "minutes",
    "reads",
    "replicas",
    "rules",
    "plans",
    "processes",
    "events",
}


def run(*arguments: str) -> tuple[str, int]:
    """Return what the command wrote, and its exit code."""
    out = StringIO()
    try:
        call_command("readshift", "status", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def told() -> tuple[Any, int]:
    written, code = run("--json")
    return json.loads(written), code


@contextmanager
def without(table: str) -> Iterator[None]:
    """Have no table of this name for a while, as before migrate."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO gone")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE gone RENAME TO {table}")


@pytest.mark.django_db
class TestExitCodes:
    def test_nothing_to_do_is_0(self, kill_switch: Switch) -> None:
        content, code = told()
        assert (code, content["level"]) == (0, "notice")

    def test_healthy_is_0(self, kill_switch: Switch) -> None:
        route("names")
        content, code = told()
        assert (code, content["level"]) == (0, "healthy"), content["details"]

    def test_attention_is_1(self, kill_switch: Switch) -> None:
        route("no-such-view")
        content, code = told()
        assert (code, content["level"]) == (1, "warning")
        assert "no-such-view matches nothing" in " ".join(content["details"])

    def test_the_kill_switch_is_2(self, kill_switch: Switch) -> None:
        operations.set_kill_switch(active=False)
        content, code = told()
        assert (code, content["level"]) == (2, "critical")

    def test_the_setting_is_2(self, kill_switch: Switch, settings: Any) -> None:
        settings.READSHIFT = {**settings.READSHIFT, "ENABLED": False}
        written, code = run()
        assert (code, written.splitlines()[0].startswith("Routing is off: ")) == (2, True)

    def test_missing_tables_are_2_and_said(self, kill_switch: Switch) -> None:
        with without("readshift_routingrule"):
            written, code = run()
            content, again = told()
        assert (code, again, content["level"]) == (2, 2, "critical")
        assert "Create them: python manage.py migrate --database default" in written
        assert "tables do not exist" in content["headline"]


@pytest.mark.django_db
class TestContents:
    def test_the_keys_are_those_that_are_documented(self, kill_switch: Switch) -> None:
        route("names", gate=flag(percent="25"))
        count_reads(3, alias="replica1", reason=Reason.ROUTED)
        count_reads(1, reason=Reason.NO_RULE)
        Process.objects.tell(Identity(uuid4(), "web1", 7, "gunicorn", timezone.now()), 1, "default")
        content, _ = told()
        assert content.keys() == KEYS
        reads = content["reads"]
        assert (reads["total"], reads["on_replicas"], reads["percent_on_replicas"]) == (4, 3, 75.0)
        assert {"alias": "replica1", "is_primary": False, "reads": 3, "percent": 75.0} in reads["databases"]
        assert reads["reasons"] == [
            {"code": Reason.NO_RULE, "words": Reason.NO_RULE.label, "reads": 1, "percent": 100.0}
        ]
        (rule,) = content["rules"]
        assert (rule["rule"], rule["mode"], rule["percent"]) == ("endpoint:names", "route", 25.0)
        assert (rule["gate"], rule["plan"]) == ({"kind": "flag", "name": "products"}, None)
        assert content["processes"]["processes"] == 1
        assert content["events"][0]["subject"] == "endpoint names"

    def test_plans_are_told_with_their_stage(self, kill_switch: Switch) -> None:
        create_flag("checkout", everyone=False)
        rule = route("names", mode=Mode.OBSERVE, gate=(GateKind.FLAG, "checkout"))
        plan = plans.start(plans.draft(rule, "fast").pk, using="default").plan
        content, _ = told()
        assert content["rules"][0]["plan"] == {"plan": plan.pk, "state": "running", "stage": 0}
        assert (content["plans"][0]["plan"], content["plans"][0]["percent"]) == (plan.pk, 10.0)
        written, _ = run()
        assert "1 of 3, running" in written
        assert "Plans under way" in written

    def test_people_see_tables(self, kill_switch: Switch) -> None:
        route("names")
        count_reads(3, alias="replica1", reason=Reason.ROUTED)
        count_reads(1, reason=Reason.NO_RULE)
        operations.drain("replica2", "ada", "disk", "default")
        written, _ = run()
        assert "Reads of the last 15 minutes: 4, 75.0\u202f% on replicas" in written
        assert str(Reason.NO_RULE.label) in written
        assert re.search(r"^  endpoint:names +route +100 %", written, re.MULTILINE)
        assert "is drained by ada" in written
        assert "No process has told yet which revision it acts on." in written
        assert "rule endpoint names was created" in written

    def test_more_minutes_count_more(self, kill_switch: Switch) -> None:
        count_reads(5, starts_at=timezone.now() - timedelta(minutes=40))
        assert "last 15 minutes: 0" in run()[0]
        assert "last 60 minutes: 5" in run("--minutes", "60")[0]
        with pytest.raises(CommandError, match="invalid choice"):
            run("--minutes", "7")


@pytest.mark.django_db(transaction=True, databases="__all__")
class TestServers:
    def test_it_asks_the_replicas_itself(self, servers: Servers) -> None:
        servers.settle()
        content, _ = told()
        assert [(one["alias"], one["state"]) for one in content["replicas"]] == [
            ("replica1", "serves"),
            ("replica2", "serves"),
        ]

    def test_a_replica_that_is_down_needs_attention_and_a_primary_that_hangs_is_said(self, servers: Servers) -> None:
        servers.checkpoint()
        replica = servers.cluster.replicas[0]
        replica.kill()
        try:
            content, code = told()
        finally:
            replica.start()
        assert (code, content["replicas"][0]["state"], content["replicas"][1]["state"]) == (1, "out", "serves")
        connection.close()
        servers.cluster.primary.hang()
        try:
            with pytest.raises(CommandError, match="gave no answer") as error:
                run("--json")
        finally:
            servers.cluster.primary.resume()
        assert error.value.returncode == 5
