"""Processes that share their probes, through a real cache, and what disturbs them."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.db import connections

from demo.cluster.processes import send
from demo.waiting import wait_until
from rollout.settings import get_settings
from routers.health import Finding, Fitness
from routers.in_flight import InFlight
from routers.prober import Prober
from routers.replicas import Replicas
from tests.conversation import Conversation, talking
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

# A process that says for each line it reads whether it leads, rests, and finds the replicas fit.
PROCESS = """
import json, os, sys, time
import django
from tests import settings as suite
suite.READSHIFT.update({options})
suite.CACHES = {caches}
for options in suite.DATABASES.values():
    options["NAME"] = "test_readshift"
django.setup()
from routers.prober import prober
from routers.replicas import replicas

def state():
    rests = all(time.monotonic() < feed.others_ask_until for feed in prober._feeds.values())
    fit = all(map(replicas.is_fit, ("replica1", "replica2")))
    return {{"leads": prober.is_leading(), "rests": rests, "fit": fit, "pid": os.getpid()}}

prober.start()
for line in sys.stdin:
    if line.strip() == "fork":
        if pid := os.fork():
            os.waitpid(pid, 0)
            continue
        assert not any(map(replicas.is_fit, ("replica1", "replica2")))
        prober.start()
        while not (state()["fit"] and state()["rests"]):
            time.sleep(0.01)
        print(json.dumps(state()), flush=True)
        os._exit(0)
    print(json.dumps(state()), flush=True)
"""


class Process(Conversation):
    """The other end of `PROCESS`."""

    @property
    def leads(self) -> bool:
        return bool(self.ask()["leads"])

    @property
    def follows(self) -> bool:
        state = self.ask()
        return bool(state["rests"] and state["fit"])

    def kill(self) -> None:
        send([self.pid], signal.SIGKILL)


@contextmanager
def running(caches: object, **options: Any) -> Iterator[Process]:
    code = PROCESS.format(options=repr({"PROBING": "shared", **options}), caches=repr(caches))
    with talking(code) as process:
        yield Process(process)


class Member:
    """A prober of this process, as in a process of its own."""

    def __init__(self) -> None:
        self.known = Replicas()
        self.waiting = InFlight()
        self.prober = Prober(self.known, self.waiting)
        self.prober.start()

    @property
    def own(self) -> Finding | None:
        """What it last found itself about a replica."""
        return self.prober._found.get("replica1")

    def hears(self, turns: int = 5) -> bool:
        """Say whether it hears that much about a replica without a question of its own."""
        own = self.own
        for _ in range(turns):
            self.wait_for_news("replica1")
        return self.own is own

    def wait_for_news(self, alias: str) -> None:
        at = self.known.standing(alias).seen_at
        wait_until(lambda: self.known.standing(alias).seen_at > at, 20, f"news of {alias}")

    def are_fit(self) -> bool:
        return all(map(self.known.is_fit, get_settings().replicas))


@pytest.fixture
def members(servers: Servers, shared_cache: str, settings) -> Iterator[tuple[Member, Member]]:
    """One that leads, and one that follows it."""
    settings.READSHIFT = {**settings.READSHIFT, "PROBING": "shared"}
    with ExitStack() as stack:
        leader = Member()
        stack.callback(leader.prober.stop)
        wait_until(leader.prober.is_leading, 10, "the first to lead")
        follower = Member()
        stack.callback(follower.prober.stop)
        wait_until(follower.are_fit, 20, "the replicas to be fit")
        wait_until(lambda: follower.hears(1), 20, "the leader to be heard")
        yield leader, follower


def test_one_process_asks_and_another_one_hears(members: tuple[Member, Member]) -> None:
    leader, follower = members
    assert follower.hears()
    assert leader.prober.is_leading()
    assert not follower.prober.is_leading()


def test_when_the_leader_is_killed_no_other_process_loses_a_healthy_replica(
    servers: Servers, shared_cache: str, settings
) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "PROBING": "shared"}
    with running(settings.CACHES) as leader:
        wait_until(lambda: leader.leads, 20, "the first process to lead")
        with running(settings.CACHES) as second, running(settings.CACHES) as third:
            wait_until(lambda: second.follows and third.follows, 20, "the others to follow")
            leader.kill()

            def is_succeeded() -> bool:
                states = [second.ask(), third.ask()]
                assert all(state["fit"] for state in states)
                return any(state["leads"] for state in states) and any(state["rests"] for state in states)

            wait_until(is_succeeded, 20, "another process to lead, and one to follow it")


def test_a_forked_child_follows_with_threads_of_its_own(servers: Servers, shared_cache: str, settings) -> None:
    with running(settings.CACHES) as parent:
        wait_until(lambda: parent.leads, 20, "the parent to lead")
        child = parent.ask("fork")
        assert child["pid"] != parent.pid
        assert (child["leads"], child["rests"]) == (False, True)
        assert parent.leads


def test_while_the_cache_hangs_each_process_asks_and_then_hears_again(
    members: tuple[Member, Member], shared_cache: str
) -> None:
    _, follower = members
    pid = cache._cache.get_client().info("server")["process_id"]  # type: ignore[attr-defined]
    own = follower.own
    send([pid], signal.SIGSTOP)
    try:

        def asks_itself() -> bool:
            assert follower.are_fit()
            return follower.own is not own

        wait_until(asks_itself, 20, "the follower to ask")
    finally:
        send([pid], signal.SIGCONT)
    # Which of them leads depends on who is the first to notice that the other has been silent.
    wait_until(lambda: any(member.hears(2) for member in members), 20, "one to be heard by the other again")


def test_a_read_that_waits_for_where_the_primary_stands_has_it_asked_at_once(
    members: tuple[Member, Member],
) -> None:
    _, follower = members
    floor = follower.known.floor_now("default")
    assert floor is not None
    assert follower.known.position_of("default", floor) is None
    found = follower.prober._found["default"]
    follower.prober.hurry("default")
    assert follower.known.wait_for_position("default", floor, 10) is not None
    assert follower.prober._found["default"] is not found


def test_a_process_that_got_no_answer_itself_believes_nobody_else(members: tuple[Member, Member]) -> None:
    _, follower = members
    address = connections["replica1"].settings_dict
    server = address["PORT"]
    # For the follower alone: the leader keeps its connection.
    address["PORT"] = 1
    try:
        wait_until(lambda: follower.prober._found, 10, "a first question")
        follower.known.record(
            get_settings().clusters["default"],
            "replica1",
            Finding(follower.known._clock(), error="broken", is_told=True),
        )
        own = follower.own
        follower.prober.hurry("replica1")
        wait_until(lambda: follower.own is not own, 10, "it to ask itself")
        for _ in range(3):
            follower.wait_for_news("replica2")
            assert not follower.known.is_fit("replica1")
    finally:
        address["PORT"] = server
    wait_until(follower.are_fit, 20, "the replica to answer again")


def test_reads_that_wait_for_a_replica_which_another_process_found_dead_are_cut_off(
    servers: Servers, members: tuple[Member, Member]
) -> None:
    _, follower = members
    begun, failed = Event(), Event()

    def read() -> None:
        connection = connections["replica1"]
        connection.ensure_connection()
        try:
            with follower.waiting.wait(connection):
                begun.set()
                # Below the engine, which would have the primary sleep.
                connection.connection.execute("SELECT pg_sleep(60)")
        except psycopg.Error:
            failed.set()
        finally:
            connection.close()

    reader = Thread(target=read)
    reader.start()
    assert begun.wait(10)
    replica = servers.cluster.server("replica1")
    own = follower.own
    replica.hang()
    try:
        assert failed.wait(20)
        assert follower.known.standing("replica1").fitness is Fitness.UNRESPONSIVE
        assert follower.own is own
    finally:
        replica.resume()
        # Nobody waits for it any more, but it would keep the replica from replaying.
        replica.query(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
        )
    reader.join()


def test_a_replica_that_may_hang_gets_no_new_connections_from_others(
    servers: Servers, members: tuple[Member, Member]
) -> None:
    _, follower = members
    replica = servers.cluster.server("replica1")
    replica.hang()
    try:
        wait_until(lambda: follower.known.is_in_doubt("replica1"), 20, "the follower to hear of the doubt")
        assert not follower.known.is_in_doubt("replica2")
    finally:
        replica.resume()
    wait_until(lambda: not follower.known.is_in_doubt("replica1"), 20, "the doubt to end")


def test_a_process_that_follows_holds_no_connection(
    servers: Servers, members: tuple[Member, Member], monkeypatch
) -> None:
    monkeypatch.setattr("routers.prober._IDLE_SECONDS", 0.1)
    _, follower = members
    for alias in get_settings().clusters["default"].aliases:
        follower.prober.hurry(alias)

    def connected() -> int:
        ((count,),) = servers.cluster.server("replica1").query(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_control_system%' AND pid <> pg_backend_pid()"
        )
        return int(count)

    wait_until(lambda: connected() == 1, 20, "the leader's connection to be the only one")
