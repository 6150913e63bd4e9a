"""The background agent, in processes of its own, against the real primary."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from waffle.models import Switch

from demo.waiting import wait_until
from rollout.models import PolicyRevision, RoutingRule, Tally
from rollout.reasons import Reason
from routers.agent import Agent
from routers.meter import Meter
from tests.conversation import Conversation, talking
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

# A process that answers, for each line it reads, where it would read a product and why.
PROCESS = """
import json, os, sys, time
import django
from tests import settings as suite
suite.READSHIFT.update({options})
for options in suite.DATABASES.values():
    options["NAME"] = "test_readshift"
django.setup()
from django.db import router
from demo.shop.models import Product
from routers.agent import agent
from routers.replicas import replicas
from routers.trail import forget_outside
from routers.current import current_unit
from routers.blocks import unit_of_work

def answer():
    # Each answer is for somebody else, who has seen nothing before.
    forget_outside()
    with unit_of_work("nightly"):
        alias = router.db_for_read(Product)
        (asked,) = current_unit().asked.values()
        return {{"alias": alias, "reason": asked.decision.reason, "pid": os.getpid()}}

for line in sys.stdin:
    if line.strip() == "fork":
        if pid := os.fork():
            os.waitpid(pid, 0)
            continue
        first = answer()["reason"]
        while (found := answer())["reason"] != "routed":
            time.sleep(0.01)
        found["first"] = first
        assert agent._thread is not None and agent._thread.is_alive()
        print(json.dumps(found), flush=True)
        os._exit(0)
    if line.strip() == "probed":
        while not replicas.is_fit("replica1") or not replicas.is_fit("replica2"):
            time.sleep(0.01)
    if line.strip() == "revision":
        print(json.dumps({{"revision": agent.state()[0].revision}}), flush=True)
        continue
    print(json.dumps(answer()), flush=True)
"""


class Process(Conversation):
    """The other end of `PROCESS`."""

    def wait_for(self, reason: Reason) -> None:
        # Its start counts as well, which takes long on a loaded machine.
        wait_until(lambda: self.ask()["reason"] == reason, 60, f"the process to answer {reason}")


@contextmanager
def running(**options: Any) -> Iterator[Process]:
    with talking(PROCESS.format(options=repr({"POLICY_REFRESH": "background", **options}))) as process:
        yield Process(process)


def test_a_process_starts_on_the_primary_and_then_follows_the_policy(shop: Servers) -> None:
    route("nightly")
    with running() as process:
        assert process.ask() == {"alias": "default", "reason": Reason.POLICY_MISSING, "pid": process.pid}
        process.wait_for(Reason.ROUTED)


def test_a_change_is_heard_at_once_where_notifications_arrive(shop: Servers) -> None:
    # Polling and reloading are far off, so that only the notification can tell.
    with running(POLICY_POLL_SECONDS=600, POLICY_RELOAD_SECONDS=600, POLICY_MAX_AGE_SECONDS=600) as process:
        process.wait_for(Reason.NO_RULE)
        route("nightly")
        process.wait_for(Reason.ROUTED)
        switch = Switch.objects.get(name="readshift")
        switch.active = False
        switch.save()
        process.wait_for(Reason.KILL_SWITCH)


def test_a_change_whose_notification_is_lost_is_found_by_polling(shop: Servers) -> None:
    with running(POLICY_POLL_SECONDS=0.1, POLICY_RELOAD_SECONDS=600) as process:
        process.wait_for(Reason.NO_RULE)
        # update() sends no signal, and this revision is raised without NOTIFY.
        RoutingRule.objects.bulk_create([RoutingRule(target="nightly", mode="route", gate_kind="")])
        PolicyRevision.objects.update_or_create(id=1, defaults={"revision": 1_000})
        process.wait_for(Reason.ROUTED)


def test_a_change_that_nobody_announced_is_found_by_reloading(shop: Servers) -> None:
    with running(POLICY_POLL_SECONDS=0.1, POLICY_RELOAD_SECONDS=0.1) as process:
        process.wait_for(Reason.NO_RULE)
        RoutingRule.objects.bulk_create([RoutingRule(target="nightly", mode="route", gate_kind="")])
        process.wait_for(Reason.ROUTED)


def test_reads_that_were_just_let_go_show_nothing_older_than_the_primary_did(shop: Servers) -> None:
    # Another rule, so that the replicas have proved themselves by then.
    route("elsewhere")
    with running() as process:
        process.wait_for(Reason.NO_RULE)
        process.ask("probed")
        for replica in shop.cluster.replicas:
            replica.pause_replay()
        try:
            route("nightly")
            process.wait_for(Reason.BEHIND)
            assert process.ask()["reason"] == Reason.BEHIND
        finally:
            for replica in shop.cluster.replicas:
                replica.resume_replay()
        process.wait_for(Reason.ROUTED)


def test_a_change_takes_nothing_away_from_reads_that_were_let_go_before(shop: Servers) -> None:
    route("nightly")
    with running(GREATEST_LAG_SECONDS=60.0) as process:
        process.wait_for(Reason.ROUTED)
        # Whoever asks next may belong to the other replica.
        process.ask("probed")
        for replica in shop.cluster.replicas:
            replica.pause_replay()
        try:
            route("elsewhere")
            revision = PolicyRevision.objects.get().revision
            wait_until(lambda: process.ask("revision")["revision"] == revision, 10, "the process to hear of the change")
            assert process.ask()["reason"] == Reason.ROUTED
        finally:
            for replica in shop.cluster.replicas:
                replica.resume_replay()


def test_a_process_that_cannot_refresh_goes_to_the_primary_and_returns(shop: Servers) -> None:
    route("nightly")
    with running(POLICY_POLL_SECONDS=0.1, POLICY_MAX_AGE_SECONDS=1.5) as process:
        process.wait_for(Reason.ROUTED)
        shop.cluster.primary.hang()
        try:
            process.wait_for(Reason.POLICY_STALE)
        finally:
            shop.cluster.primary.resume()
        process.wait_for(Reason.ROUTED)


def test_a_restarted_primary_is_found_again(shop: Servers) -> None:
    with running(POLICY_POLL_SECONDS=0.1) as process:
        process.wait_for(Reason.NO_RULE)
        shop.cluster.primary.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE '%readshift%' AND pid <> pg_backend_pid()"
        )
        route("nightly")
        process.wait_for(Reason.ROUTED)


def test_a_forked_child_has_an_agent_of_its_own(shop: Servers) -> None:
    route("nightly")
    with running() as process:
        process.wait_for(Reason.ROUTED)
        child = process.ask("fork")
        assert child["pid"] != process.pid
        assert child["reason"] == Reason.ROUTED
        # The child did not take the parent's connection with it.
        process.wait_for(Reason.ROUTED)


def test_counts_are_flushed_while_a_process_runs_and_when_it_ends(shop: Servers) -> None:
    with running(FLUSH_SECONDS=0.1, POLICY_POLL_SECONDS=0.1) as process:
        process.wait_for(Reason.NO_RULE)
        wait_until(lambda: Tally.objects.filter(endpoint="nightly").exists(), 10, "the first counts")
    asked_before = sum(Tally.objects.filter(endpoint="nightly").values_list("count", flat=True))
    with running(FLUSH_SECONDS=600) as process:
        process.wait_for(Reason.NO_RULE)
    assert sum(Tally.objects.filter(endpoint="nightly").values_list("count", flat=True)) > asked_before


def test_a_policy_ages_by_the_clock_it_is_given(shop: Servers, settings) -> None:
    now = 0.0
    agent = Agent(Meter(), clock=lambda: now)
    agent.start = lambda: None  # type: ignore[method-assign]
    agent.reload()
    settings.READSHIFT = {**settings.READSHIFT, "POLICY_REFRESH": "background", "POLICY_MAX_AGE_SECONDS": 30}
    now = 30.0
    assert agent.state()[1] is None
    now = 30.1
    assert agent.state()[1] is Reason.POLICY_STALE


def test_the_kill_switch_is_obeyed_before_rules_are_read(shop: Servers) -> None:
    route("nightly")
    agent = Agent(Meter())
    assert agent._refresh("default").enabled
    route("daily")
    switch = Switch.objects.get(name="readshift")
    switch.active = False
    switch.save()
    with CaptureQueriesContext(connection) as queries:
        off = agent._refresh("default")
    assert not off.enabled
    assert off.revision == PolicyRevision.objects.get().revision
    assert not any(RoutingRule._meta.db_table in query["sql"] for query in queries)
    # They follow, without another change.
    assert set(agent._refresh("default").endpoint_rules) == {"nightly", "daily"}


def test_processes_that_read_a_policy_at_the_same_time_read_it_at_different_times_again(shop: Servers) -> None:
    agents = [Agent(Meter(), clock=lambda: 0.0) for _ in range(5)]
    for agent in agents:
        agent._refresh("default")
    due = {agent._due_at for agent in agents}
    assert len(due) == len(agents)
    assert all(15.0 <= at <= 30.0 for at in due)
