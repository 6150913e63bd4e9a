"""What real servers say: while they are well, while they are not, and to a role that may not see much."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.db import connections

from admin_ui.advice.standbys import ask_replicas
from demo.cluster import Server
from demo.waiting import wait_until
from routers import inspection
from routers.inspection import Inspector, inspect
from routers.probe import Probe
from routers.server_facts import ServerFacts, Silence, behind
from tests.routers import faults
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

ALIASES = ("default", "replica1", "replica2")


def facts(alias: str) -> ServerFacts:
    said = inspect([alias])[alias]
    assert isinstance(said, ServerFacts), said
    return said


@contextmanager
def configured(server: Server, name: str, value: str) -> Iterator[None]:
    """Change a setting of a server until the block ends."""
    before = server.query(f"SHOW {name}")[0][0]
    server._configure(name, value)
    try:
        yield
    finally:
        server.query(f"ALTER SYSTEM RESET {name}")
        server.query("SELECT pg_reload_conf()")
        wait_until(lambda: server.query(f"SHOW {name}")[0][0] == before, 20, f"{name} to be {before}")


def test_servers_that_are_well_tell_all(servers: Servers) -> None:
    servers.settle()
    said = inspect(ALIASES)
    primary, replica = said["default"], said["replica1"]
    assert isinstance(primary, ServerFacts)
    assert isinstance(replica, ServerFacts)
    assert (primary.is_standby, replica.is_standby) == (False, True)
    assert (primary.system, primary.timeline, primary.version) == (replica.system, replica.timeline, replica.version)
    assert behind(primary, replica) is not None
    assert {slot.name: slot.is_active for slot in primary.slots} == {"replica1": True, "replica2": True}
    assert {sender.pid for sender in primary.senders} == {slot.pid for slot in primary.slots}
    assert replica.receiver is not None
    assert (replica.receiver.status, replica.receiver.slot) == ("streaming", "replica1")
    assert replica.settings["primary_slot_name"].value == "replica1"
    assert replica.settings.keys() == set(inspection.SETTINGS)
    assert replica.pause == "not paused"


def test_it_asks_read_only_and_leaves_no_connection(servers: Servers) -> None:
    inspect(ALIASES)
    left = "SELECT FROM pg_stat_activity WHERE query LIKE 'BEGIN READ ONLY%'"
    wait_until(lambda: not any(server.query(left) for server in servers.cluster.servers), 20, "them to be closed")


def test_a_setting_that_was_changed_is_told(servers: Servers) -> None:
    with configured(servers.cluster.replicas[0], "max_standby_streaming_delay", "-1"):
        assert facts("replica1").settings["max_standby_streaming_delay"].value == "-1"
        assert facts("replica2").settings["max_standby_streaming_delay"].value == "30000"


def test_replay_that_is_paused_is_told_with_what_is_missing(servers: Servers) -> None:
    with servers.held():
        servers.cluster.primary.query("SELECT pg_logical_emit_message(true, 'test', repeat('x', 100000))")
        said = inspect(ALIASES)
        replica = said["replica1"]
        assert isinstance(replica, ServerFacts)
        assert replica.pause == "paused"
        assert (behind(said["default"], replica) or 0) >= 100_000


def test_a_query_that_replay_has_cancelled_is_counted(servers: Servers) -> None:
    replica, primary = servers.cluster.replicas[0], servers.cluster.primary
    before = facts("replica1").conflicts["lock"]
    primary.query("CREATE TABLE in_the_way ()", dbname=faults.DATABASE)
    servers.cluster.wait_for_replay()
    with configured(replica, "max_standby_streaming_delay", "0"):
        with closing(replica.connect(faults.DATABASE, autocommit=False)) as reader:
            reader.execute("SELECT FROM in_the_way")
            primary.query("DROP TABLE in_the_way", dbname=faults.DATABASE)
            wait_until(lambda: not replica.query("SELECT to_regclass('in_the_way')")[0][0], 20, "the table to go")
        wait_until(lambda: facts("replica1").conflicts["lock"] == before + 1, 20, "the conflict to be counted")


def test_a_server_that_hangs_and_one_that_is_gone_hold_up_nobody(servers: Servers) -> None:
    hanging, dead = servers.cluster.replicas
    servers.checkpoint()
    hanging.hang()
    dead.kill()
    try:
        said = inspect(ALIASES, answer=0.5)
    finally:
        hanging.resume()
        dead.start()
        dead.wait_until_streaming()
    assert isinstance(said["default"], ServerFacts)
    assert said["replica1"] == Silence("did not answer within 0.5 s")
    gone = said["replica2"]
    assert isinstance(gone, Silence)
    assert gone.words.startswith("did not answer: ")
    assert "refused" in gone.words


def test_a_role_that_may_not_see_much_is_told_from_one_that_may(servers: Servers) -> None:
    servers.cluster.primary.query("CREATE ROLE plain LOGIN")
    servers.settle()
    try:
        with faults.as_user("default", "plain"), faults.as_user("replica1", "plain"):
            primary, replica = facts("default"), facts("replica1")
        servers.cluster.primary.query("GRANT pg_monitor TO plain")
        with faults.as_user("default", "plain"):
            monitor = facts("default")
    finally:
        servers.cluster.primary.query("DROP ROLE plain")
    assert (primary.may_read_all, primary.role) == (False, "plain")
    assert {sender.state for sender in primary.senders} == {""}
    assert replica.receiver is not None
    assert replica.receiver.status == ""
    assert len(primary.slots) == 2
    assert monitor.may_read_all
    assert {sender.state for sender in monitor.senders} == {"streaming"}


def test_what_is_no_postgresql_is_said_and_raises_nothing(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_QUESTION", "SELECT '{{\"version\": 1}}'")
    said = inspect(["default"])["default"]
    assert isinstance(said, Silence)
    assert said.words.startswith("gave an answer that cannot be read")


def test_an_alias_without_a_database_is_said_by_all_who_ask(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["replica1"].settings_dict, "NAME", "")
    said = inspect(["replica1"])["replica1"]
    assert isinstance(said, Silence)
    assert "supply the NAME" in said.words
    with closing(Probe("replica1")) as probe:
        assert "supply the NAME" in probe.ask(5).error
    assert not ask_replicas(["replica1"], 5)


def test_an_alias_that_leads_nowhere_is_said(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["replica1"].settings_dict, "NAME", "no_such_database")
    said = inspect(["replica1"])["replica1"]
    assert isinstance(said, Silence)
    assert "no_such_database" in said.words


class Looks:
    """Servers that say nothing, and how often they were asked."""

    def __init__(self) -> None:
        self.count = 0
        self.now = 0.0

    def __call__(self, aliases: Iterable[str]) -> Mapping[str, Any]:
        self.count += 1
        return {alias: Silence("is not there") for alias in aliases}


def test_an_answer_is_kept_for_a_few_seconds_and_for_the_same_servers() -> None:
    looks = Looks()
    inspector = Inspector(looks, lambda: looks.now)
    first = inspector.inspect(["one", "two"])
    assert inspector.inspect(["two", "one"]) is first
    looks.now = inspection.KEPT_SECONDS - 0.1
    assert inspector.inspect(["one", "two"]) is first
    looks.now = inspection.KEPT_SECONDS
    assert inspector.inspect(["one", "two"]) is not first
    assert looks.count == 2
    assert inspector.inspect(["one"]).servers.keys() == {"one"}
    inspector.forget()
    inspector.inspect(["one"])
    assert looks.count == 4
