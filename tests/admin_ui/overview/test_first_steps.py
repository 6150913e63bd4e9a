"""From installed to the first endpoint observed: what is done, and what is next."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from waffle.models import Switch

from admin_ui.overview.first_steps import Setup, first_steps
from rollout.models import Mode
from rollout.reasons import Reason
from tests.admin_ui.support import DASHBOARD, count_reads, text
from tests.support import route

STEPS = f"{DASHBOARD}first-steps/"
DONE = Setup(
    alias="default",
    pending=(),
    cluster=(),
    unreachable=(),
    router=(),
    middleware=(),
    is_enabled=True,
    is_routing_on=True,
    rules=1,
    is_counted=True,
)
UNDONE: list[tuple[str, dict[str, Any], str]] = [
    ("Create the tables", {"pending": ("readshift.0010_processes",)}, "manage.py migrate --database default"),
    ("Name a cluster with replicas", {"cluster": ("It names no cluster.",)}, "READSHIFT = "),
    ("Reach every replica", {"unreachable": ("“replica1” is down.",)}, "correct the address"),
    ("Install the router", {"router": ("It is not installed.",)}, "routers.router.ReplicaRouter"),
    ("Install the middleware", {"middleware": ("It is not installed.",)}, "routers.middleware.ReadshiftMiddleware"),
    ("Turn the kill switch on", {"is_routing_on": False}, "waffle_switch readshift on --create"),
    ("Turn the kill switch on", {"is_enabled": False}, 'READSHIFT["ENABLED"] to True'),
    ("Write a rule that observes", {"rules": 0}, "the mode observe"),
    ("See the first read under a rule", {"is_counted": False}, "Open a page of that endpoint"),
]

everywhere = pytest.mark.django_db(databases=["default", "replica1", "replica2"])


def test_all_of_them_done_leave_nothing_to_do() -> None:
    found = first_steps(DONE)
    assert found.is_complete
    assert found.next is None
    assert not any(step.todo or step.code or step.found for step in found.steps)


@pytest.mark.parametrize(("title", "lacks", "todo"), UNDONE)
def test_each_that_is_not_done_says_what_to_do(title: str, lacks: dict[str, Any], todo: str) -> None:
    found = first_steps(replace(DONE, **lacks))
    assert found.done == len(found.steps) - 1
    assert found.next is not None
    assert found.next.title == title
    assert found.next.found
    assert todo in found.next.todo + found.next.code


def test_the_first_that_is_not_done_is_next() -> None:
    found = first_steps(replace(DONE, rules=0, is_counted=False, router=("It is not installed.",)))
    assert found.next is not None
    assert found.next.title == "Install the router"


@pytest.mark.django_db
def test_the_overview_leads_on_until_a_rule_has_decided_a_read(superuser: Client) -> None:
    page = text(superuser.get(DASHBOARD))
    assert "6 of 8 done" in page
    assert "Write a rule that observes" in page
    route("names", mode=Mode.OBSERVE)
    count_reads(5, reason=Reason.NO_RULE)
    page = text(superuser.get(DASHBOARD))
    assert "7 of 8 done" in page
    assert "See the first read under a rule" in page
    count_reads(1, reason=Reason.OBSERVED, candidate="replica1")
    page = text(superuser.get(DASHBOARD))
    assert "of 8 done" not in page
    assert f'href="{STEPS}"' in page


@pytest.mark.django_db
def test_a_read_of_long_ago_counts(superuser: Client) -> None:
    route("names", mode=Mode.OBSERVE)
    count_reads(1, reason=Reason.GATE_OFF, starts_at=timezone.now() - timedelta(days=20))
    assert "of 8 done" not in text(superuser.get(DASHBOARD))


@everywhere
def test_the_page_asks_the_replicas_and_finds_all_of_it_done(superuser: Client) -> None:
    route("names", mode=Mode.OBSERVE)
    count_reads(1, reason=Reason.OBSERVED)
    page = text(superuser.get(STEPS))
    assert "8 of 8 done" in page
    assert "Everything is done" in page


@everywhere
def test_the_page_says_which_replica_cannot_be_reached_or_is_none(
    superuser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections["replica1"].settings_dict, "PORT", 1)
    monkeypatch.setitem(connections["replica2"].settings_dict, "PORT", connection.settings_dict["PORT"])
    page = text(superuser.get(STEPS))
    assert "The replica “replica1” cannot be reached" in page
    assert "The replica “replica2” is no standby of anything: it would take writes." in page


@everywhere
def test_the_page_finds_what_is_not_installed(superuser: Client, settings: Any) -> None:
    settings.DATABASE_ROUTERS = []
    assert 'Add "routers.router.ReplicaRouter" to DATABASE_ROUTERS.' in text(superuser.get(STEPS))


@everywhere
def test_the_page_finds_a_missing_middleware(superuser: Client, settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("routers.")]
    assert "the middleware is not installed" in text(superuser.get(STEPS))


@everywhere
def test_the_page_finds_a_migration_that_was_not_applied(superuser: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'readshift' AND name LIKE '0011%'")
    page = text(superuser.get(STEPS))
    assert "readshift.0011_" in page
    assert "manage.py migrate --database default" in page


@pytest.mark.django_db
@pytest.mark.parametrize("clusters", [{}, {"default": {"REPLICAS": []}}], ids=["none", "no replica"])
def test_the_page_finds_that_no_replica_is_named(superuser: Client, settings: Any, clusters: dict[str, Any]) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": clusters}
    page = text(superuser.get(STEPS))
    assert "names no cluster" in page or "“default” has no replica" in page
    assert "Name the standbys" in page


@everywhere
def test_the_page_finds_the_kill_switch_off(superuser: Client, kill_switch: Switch) -> None:
    kill_switch.delete()
    assert "python manage.py waffle_switch readshift on --create" in text(superuser.get(STEPS))


@pytest.mark.django_db
def test_it_is_for_those_who_may_see_rules(staff: Callable[..., Client]) -> None:
    assert staff("view_dashboard").get(STEPS).status_code == 403
    assert staff("view_user").get(STEPS).status_code == 403


@everywhere
def test_only_those_who_may_add_rules_get_the_button(viewer: Client, superuser: Client) -> None:
    add = "routingrule/add/"
    assert add not in text(viewer.get(STEPS)).partition("rs-steps")[2]
    assert add in text(superuser.get(STEPS)).partition("rs-steps")[2]
