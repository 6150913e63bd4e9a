"""How processes tell that they live and which revision they act on, with real processes and the real primary."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.db import InternalError, OperationalError, connection, connections
from django.utils import timezone
from waffle.models import Switch

from benchmarks.processes import free_port
from benchmarks.processes import running as running_module
from demo.shop.models import Product
from demo.waiting import wait_until
from rollout.loading import read_revision
from rollout.models import Process
from rollout.models.process import Identity
from rollout.propagation import wait_for_processes
from rollout.reasons import Reason
from routers import departures as module
from routers.agent import Agent, agent
from routers.blocks import unit_of_work
from routers.departures import departures
from routers.freshness import Check
from routers.meter import Meter
from routers.presence import Presence
from tests.edge_cases.test_failures import replica_of, slow_on_a_replica
from tests.pooling.test_asgi import serve
from tests.routers.test_agent import running
from tests.support import Servers, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

EVERYBODY_SECONDS = 60.0


def rows(pid: int) -> list[Process]:
    return list(Process.objects.filter(pid=pid))


def wait_until_current() -> int:
    """Wait until every process acts on the current revision, and return how many there are."""
    found = wait_for_processes(read_revision("default"), EVERYBODY_SECONDS, "default")
    assert found.is_complete, str(found)
    return found.processes


def turn_off() -> None:
    switch = Switch.objects.get(name="readshift")
    switch.active = False
    switch.save()


def test_a_process_tells_which_revision_it_acts_on_and_says_goodbye(shop: Servers) -> None:
    route("nightly")
    with running() as process:
        process.wait_for(Reason.ROUTED)
        assert wait_until_current() == 1
        (row,) = rows(process.pid)
        assert row.service == "-c"
        assert row.applied_at is not None
        assert row.applied_at >= row.started_at
        turn_off()
        assert wait_until_current() == 1
        assert process.ask()["reason"] == Reason.KILL_SWITCH
        assert [later.key for later in rows(process.pid)] == [row.key]
    assert not Process.objects.exists()


def test_a_process_that_is_killed_is_forgotten_by_one_that_starts_once_it_counts_as_gone(shop: Servers) -> None:
    with running() as process:
        process.wait_for(Reason.NO_RULE)
        wait_until_current()
        os.kill(process.pid, 9)
    with running() as second:
        second.wait_for(Reason.NO_RULE)
        wait_until(lambda: len(rows(second.pid)) == 1, 10, "the second process to tell that it lives")
        assert len(rows(process.pid)) == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE readshift_process SET seen_at = seen_at - interval '41 seconds'")
    with running() as third:
        third.wait_for(Reason.NO_RULE)
        wait_until(lambda: not rows(process.pid), 10, "the row of the killed process to go")
        assert len(rows(third.pid)) == 1


def test_a_child_does_not_act_on_its_parent_s_policy_and_tells_for_itself(shop: Servers) -> None:
    route("nightly")
    with running() as process:
        process.wait_for(Reason.ROUTED)
        wait_until_current()
        child = process.ask("fork")
        assert child["first"] == Reason.POLICY_MISSING
        # It was ended without a goodbye.
        (parents,), (childs,) = rows(process.pid), rows(child["pid"])
        assert parents.key != childs.key


def test_the_workers_of_a_preloading_server_have_a_row_each(shop: Servers, tmp_path: Path) -> None:
    route("names")
    port, log = free_port(), tmp_path / "gunicorn.log"
    command = ["gunicorn", "tests.preloaded", "--preload", "--workers=2", f"--bind=127.0.0.1:{port}"]

    def are_told() -> bool:
        with urlopen(f"http://127.0.0.1:{port}/test/names/") as response:
            response.read()
        return Process.objects.filter(revision__isnull=False).count() == 3

    variables = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.worker_settings"}
    with running_module("gunicorn", [*command, "--no-control-socket"], variables, log):
        wait_until(lambda: "Booting worker" in log.read_text(), 60, "the server to start")
        wait_until(are_told, 60, "the first process and both workers to tell which revision they act on")
        turn_off()
        assert wait_until_current() == 3
        assert set(Process.objects.values_list("service", flat=True)) == {"gunicorn"}
    assert not Process.objects.exists()


def test_many_first_units_make_one_row(shop: Servers, settings: Any) -> None:
    route("nightly")
    with in_background(settings) as own:
        threads = [Thread(target=own.state) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: own.state()[0] is not None, 20, "the policy to be read")
        assert wait_until_current() == 1
        assert len(rows(os.getpid())) == 1


def test_the_first_request_of_an_asgi_server_makes_the_row(shop: Servers, settings: Any) -> None:
    route("names-async")
    settings.READSHIFT = {**settings.READSHIFT, "POLICY_REFRESH": "background"}
    assert not Process.objects.exists()
    try:
        asyncio.run(serve(ASGIHandler(), "/test/names-async/"))
        wait_until(lambda: len(rows(os.getpid())) == 1, 20, "this process to tell that it lives")
        assert wait_until_current() == 1
    finally:
        agent.stop()
        connections.close_all()
    assert not Process.objects.exists()


def test_a_process_that_cannot_tell_follows_the_policy_all_the_same(shop: Servers) -> None:
    with renamed_table(), running(POLICY_POLL_SECONDS=600, POLICY_RELOAD_SECONDS=600) as process:
        process.wait_for(Reason.NO_RULE)
        route("nightly")
        process.wait_for(Reason.ROUTED)
        turn_off()
        process.wait_for(Reason.KILL_SWITCH)


def test_what_could_not_be_told_is_told_at_the_next_heartbeat(shop: Servers) -> None:
    with running(POLICY_POLL_SECONDS=0.1, POLICY_MAX_AGE_SECONDS=3) as process:
        with renamed_table():
            route("nightly")
            process.wait_for(Reason.ROUTED)
        wait_until(lambda: rows(process.pid), 20, "the next heartbeat")
        assert wait_until_current() == 1


def test_a_failure_is_logged_and_says_what_to_do(shop: Servers, caplog: pytest.LogCaptureFixture) -> None:
    with renamed_table(), caplog.at_level(logging.WARNING, logger="readshift"):
        Presence().tell("default", 3)
    (record,) = caplog.records
    assert "could not tell which revision it acts on" in record.getMessage()
    assert "Was migrate run?" in record.getMessage()


def test_a_heartbeat_is_told_no_more_often_than_it_must(shop: Servers) -> None:
    now = 0.0
    presence = Presence(clock=lambda: now)
    presence.tell("default", 3)
    first = Process.objects.get().seen_at
    now = 9.9
    presence.tell("default", 3)
    assert Process.objects.get().seen_at == first
    now = 10.0
    presence.tell("default", 3)
    assert Process.objects.get().seen_at > first


def test_a_change_is_told_at_once(shop: Servers) -> None:
    presence = Presence(clock=lambda: 0.0)
    presence.announce("default")
    assert Process.objects.get().revision is None
    for revision in (3, 4):
        presence.tell("default", revision)
        assert Process.objects.get().revision == revision


def test_a_process_is_announced_before_it_reads_the_policy(shop: Servers, settings: Any) -> None:
    route("nightly")
    # Another has changed the policy, and has not committed yet: nobody can read it until then.
    with in_background(settings) as own, shop.cluster.primary.connect("test_readshift", autocommit=False) as other:
        other.execute("LOCK TABLE readshift_routingrule")
        own.start()
        wait_until(lambda: rows(os.getpid()), 20, "the row")
        assert own.state()[0] is None
        found = wait_for_processes(read_revision("default"), 0, "default")
        assert [laggard.revision for laggard in found.behind] == [None]
        other.rollback()
        wait_until(lambda: own.state()[0] is not None, 20, "the policy to be read")
        assert wait_until_current() == 1


def test_a_change_is_acknowledged_once_no_read_is_on_its_way_that_was_decided_before(
    shop: Servers, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_JOURNEY_SECONDS", 600.0)
    route("nightly")
    connections.close_all()
    errors: list[Exception] = []

    def read() -> None:
        try:
            with unit_of_work("nightly"):
                list(slow_on_a_replica())
        except OperationalError as error:
            errors.append(error)
        finally:
            connections.close_all()

    with probing(settings):
        before = wait_until_current_here()
        reader = Thread(target=read)
        reader.start()
        wait_until(departures.under_way, 20, "the read to be on its way")
        wait_until(lambda: sleepers(shop), 20, "the read to run")
        turn_off()
        revision = read_revision("default")
        wait_until(lambda: getattr(agent.state()[0], "revision", None) == revision, 20, "the new policy")
        assert not wait_for_processes(revision, 0.2, "default").is_complete
        assert rows(os.getpid())[0].revision == before
        for replica in shop.cluster.replicas:
            replica.query(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
            )
        reader.join()
        wait_until_current()
    assert len(errors) == 1


def wait_until_current_here() -> int:
    wait_until_current()
    revision = rows(os.getpid())[0].revision
    assert revision is not None
    return revision


def sleepers(shop: Servers) -> bool:
    looks = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
    return any(replica.query(looks) for replica in shop.cluster.replicas)


def test_a_read_that_was_decided_before_a_change_is_decided_anew(
    shop: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    route("nightly")
    shop.settle()
    objection, changes = Check.objection, iter([turn_off])

    def change_meanwhile(check: Check, *arguments: Any) -> Reason | None:
        if change := next(changes, None):
            change()
        return objection(check, *arguments)

    monkeypatch.setattr(Check, "objection", change_meanwhile)
    with unit_of_work("nightly"), shop.watch() as reads:
        assert Product.objects.count() == 2
    assert (reads.primary, reads.replicas) == (1, 0)


def test_reads_leave_nothing_on_its_way(shop: Servers) -> None:
    route("nightly")
    shop.settle()
    with unit_of_work("nightly"):
        replica = replica_of(shop)
        assert list(Product.objects.iterator(chunk_size=1))
        with pytest.raises(InternalError):
            Product.objects.using(replica.name).update(stock=1)
    with unit_of_work("elsewhere"):
        Product.objects.count()
    assert not departures.under_way()


@contextmanager
def in_background(settings: Any) -> Iterator[Agent]:
    """An agent of this process beside its own, which runs as soon as it is asked."""
    settings.READSHIFT = {**settings.READSHIFT, "POLICY_REFRESH": "background"}
    own = Agent(Meter())
    try:
        yield own
    finally:
        own.stop()


@contextmanager
def renamed_table() -> Iterator[None]:
    """Let the table be missing, as before its migration."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE readshift_process RENAME TO elsewhere")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE elsewhere RENAME TO readshift_process")


def test_a_row_of_another_process_is_left_alone(shop: Servers) -> None:
    other = Identity(uuid4(), "web2", 1, "celery", timezone.now())
    Process.objects.tell(other, 3, "default")
    presence = Presence()
    presence.tell("default", 3)
    presence.leave("default")
    assert [row.key for row in Process.objects.all()] == [other.key]
