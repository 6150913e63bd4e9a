"""Every change of what routing depends on leaves an event that says who, through which door, why, before and after."""

import logging
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import InternalError, connection, transaction
from django.db.utils import IntegrityError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from waffle.models import Flag, Sample, Switch

from rollout import acting, operations
from rollout.acting import Acting
from rollout.journal import event_recorded
from rollout.models import Door, DrainedReplica, Event, EventKind, GateKind, Mode, RoutingRule
from rollout.policy import KILL_SWITCH
from routers.blocks import unit_of_work
from tests.rollout.interleaving import sessions
from tests.support import route

pytestmark = pytest.mark.django_db


def events(**conditions: Any) -> list[Event]:
    """Return the events so far, the oldest first."""
    return list(Event.objects.filter(**conditions).order_by("pk"))


def last() -> Event:
    return events()[-1]


def test_a_rule_that_is_created_changed_and_deleted_leaves_three_events() -> None:
    rule = route(mode=Mode.OBSERVE)
    operations.set_mode(rule, Mode.ROUTE)
    rule.delete()
    created, changed, deleted = events(subject_kind="rule")
    assert {event.subject for event in (created, changed, deleted)} == {"endpoint shop:product-list"}
    assert (created.kind, created.before, created.after["mode"]) == (EventKind.CREATED, {}, "observe")
    assert (changed.before, changed.after) == ({"mode": "observe"}, {"mode": "route"})
    assert (deleted.kind, deleted.before["mode"], deleted.after) == (EventKind.DELETED, "route", {})


def test_what_changes_nothing_leaves_no_event() -> None:
    rule = route()
    before = len(events())
    rule.save()
    assert len(events()) == before


def test_gates_count_if_a_rule_names_them() -> None:
    Flag.objects.create(name="own")
    Flag.objects.create(name="other", everyone=False)
    route(gate=(GateKind.FLAG, "own"))
    Flag.objects.filter(name="other").first().save()  # type: ignore[union-attr]
    operations.set_share(GateKind.FLAG, "own", Decimal(5))
    (event,) = events(subject_kind="flag")
    assert (event.subject, event.before, event.after) == ("own", {"percent": None}, {"percent": "5.0"})
    Sample.objects.create(name="unused", percent=5)
    Switch.objects.create(name="unused", active=True)
    assert events(subject_kind__in=["sample", "switch"]) == []


def test_the_kill_switch_counts_always() -> None:
    operations.set_kill_switch(active=False)
    operations.set_kill_switch(active=True)
    assert [event.after for event in events(subject=KILL_SWITCH)] == [{"active": False}, {"active": True}]


def test_users_and_groups_of_a_flag_count() -> None:
    flag: Any = Flag.objects.create(name="own")
    route(gate=(GateKind.FLAG, "own"))
    user, group = User.objects.create_user("ada"), Group.objects.create(name="staff")
    flag.users.add(user)
    flag.groups.add(group)
    flag.users.remove(user)
    flag.groups.clear()
    changes = [(event.before, event.after) for event in events(subject_kind="flag")]
    assert changes == [
        ({}, {"users": [str(user.pk)]}),
        ({}, {"groups": [str(group.pk)]}),
        ({"users": [str(user.pk)]}, {}),
        ({"groups": ["all"]}, {"groups": []}),
    ]


def test_drains_count() -> None:
    operations.drain("replica1", "ada", "disk", "default")
    operations.undrain("replica1", "default")
    first, second = events(subject_kind="replica")
    assert (first.kind, first.subject, first.after["reason"]) == (EventKind.CREATED, "replica1", "disk")
    assert second.kind == EventKind.DELETED
    assert not DrainedReplica.objects.exists()


def test_an_event_is_part_of_the_transaction_of_its_change() -> None:
    with transaction.atomic():
        route()
        assert len(events()) == 1
        transaction.set_rollback(True)
    assert events() == []


def test_whoever_acts_and_why_is_taken_down() -> None:
    with acting.acting(Acting(Door.PLAN, lambda: "plan 3", "errors doubled", {"errors": 0.02})):
        rule = route()
    event = last()
    assert (event.door, event.who, event.why, event.measures) == (
        Door.PLAN,
        "plan 3",
        "errors doubled",
        {"errors": 0.02},
    )
    rule.delete()
    assert (last().door, last().who, last().why) == (Door.CODE, "", "")


def test_the_user_of_a_request_is_taken_down(client: Client, admin_user: User) -> None:
    route()
    rule = RoutingRule.objects.get()
    client.force_login(admin_user)
    client.post(f"/admin/readshift/routingrule/{rule.pk}/delete/", {"post": "yes"})
    assert (last().kind, last().door, last().who) == (EventKind.DELETED, Door.REQUEST, "admin")


def test_code_in_a_block_is_no_door_of_its_own() -> None:
    with unit_of_work("nightly"):
        route()
    assert (last().door, last().who) == (Door.CODE, "nightly")


@pytest.mark.parametrize("statement", ["UPDATE readshift_event SET why = ''", "DELETE FROM readshift_event"])
def test_the_database_refuses_to_change_the_record(statement: str) -> None:
    route()
    with pytest.raises((InternalError, IntegrityError), match="Events are a record"), transaction.atomic():
        connection.cursor().execute(statement)
    assert events()


def test_hosts_are_told_by_a_signal_and_a_logger(caplog) -> None:
    caplog.set_level(logging.INFO, "readshift.events")
    told: list[Event] = []

    def hear(event: Event, **_: Any) -> None:
        told.append(event)

    event_recorded.connect(hear)
    try:
        route()
    finally:
        event_recorded.disconnect(hear)
    assert told == events()
    assert "rule endpoint shop:product-list created" in caplog.text


def test_a_projects_own_tests_make_no_events(settings: Any) -> None:
    flag = Flag.objects.create(name="own")
    route(gate=(GateKind.FLAG, "own"))
    before = len(events())
    settings.READSHIFT = {**settings.READSHIFT, "POLICY_REFRESH": "auto"}
    with CaptureQueriesContext(connection) as queries:
        flag.everyone = True
        flag.save()
    assert len(events()) == before
    assert not [query for query in queries if "readshift_event" in query["sql"] or query["sql"].startswith('SELECT "')]


def test_what_was_assigned_and_not_saved_is_no_change() -> None:
    rule = route()
    rule.note, rule.mode = "not saved", Mode.OBSERVE
    rule.save(update_fields=["mode"])
    assert (last().before, last().after) == ({"mode": "route"}, {"mode": "observe"})


def test_a_value_of_another_type_is_no_change() -> None:
    rule = route()
    before = len(events())
    rule.shadow_percent = "0"
    rule.save()
    assert len(events()) == before


@pytest.mark.django_db(transaction=True)
def test_what_somebody_else_writes_while_a_change_is_saved_is_what_was_before_it() -> None:
    Flag.objects.create(name="own", everyone=False)
    route(gate=(GateKind.FLAG, "own"))

    def save_what_was_read() -> None:
        """Do what an admin's page does: read, and save all of it."""
        with transaction.atomic():
            flag = Flag.objects.get()
            flag.save()

    with sessions() as both:
        # The first has written and not committed when the second reads, which then waits with its own writing.
        both.interleave(lambda: operations.set_share(GateKind.FLAG, "own", Decimal(5)), save_what_was_read, 3)
    assert Flag.objects.get().everyone is False
    opened, closed = events(subject_kind="flag")
    assert (opened.before["everyone"], opened.after["everyone"]) == (False, None)
    assert (closed.before["everyone"], closed.after["everyone"]) == (None, False)
