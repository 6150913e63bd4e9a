"""Servers that refuse, end or hold up what they are asked, each in a way of PostgreSQL's own."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread

import psycopg
from django.db import connections

from demo.cluster import Server
from demo.cluster.processes import send
from demo.waiting import wait_until

DATABASE = "test_readshift"


@contextmanager
def starting(server: Server) -> Iterator[None]:
    """Restart a standby that does not get beyond its start before the block ends."""
    may_go = server.data / "may_go"
    # A standby asks its archive first, and this one keeps it waiting.
    server.stop()
    waits = {"restore_command": f"until [ -e {may_go.name} ]; do sleep 0.02; done; false"}
    starter = Thread(target=server.start, args=(waits,), kwargs={"timeout": 120.0})
    starter.start()
    try:
        wait_until(lambda: "starting up" in refusal(server), 20, f"{server.name} to be starting up")
        yield
    finally:
        may_go.touch()
        starter.join()
        server.settings.pop("restore_command")
        server.restart()
        may_go.unlink()


@contextmanager
def shutting_down(server: Server) -> Iterator[None]:
    """Have a server wait for its last client before it shuts down, and start it again when the block ends."""
    with server.connect():
        assert server.pid is not None
        send([server.pid], signal.SIGTERM)
        wait_until(lambda: "shutting down" in refusal(server), 20, f"{server.name} to be shutting down")
        yield
    server.stop()
    server.start()


@contextmanager
def crowded(server: Server) -> Iterator[None]:
    """Take all connections that a server has, to the last."""
    with ExitStack() as crowd:

        def enters() -> bool:
            with suppress(psycopg.OperationalError):
                crowd.enter_context(server.connect())
                return True
            return False

        for _ in range(int(server.settings["max_connections"])):
            # One that was closed a moment ago may still have its place.
            wait_until(enters, 20, f"{server.name} to have a free connection")
        yield


@contextmanager
def asking_for_a_password(server: Server, role: str) -> Iterator[None]:
    """Let a server ask this role for a password."""
    file = server.data / "pg_hba.conf"
    before = file.read_text()
    file.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n{before}")
    server.query("SELECT pg_reload_conf()")
    try:
        wait_until(
            lambda: server.query("SELECT 1 FROM pg_hba_file_rules WHERE %s = ANY (user_name)", [role]),
            20,
            "the new rule",
        )
        yield
    finally:
        file.write_text(before)
        server.query("SELECT pg_reload_conf()")


@contextmanager
def as_user(alias: str, name: str) -> Iterator[None]:
    """Connect to an alias as another user."""
    settings = connections[alias].settings_dict
    before = settings["USER"]
    connections[alias].close()
    settings["USER"] = name
    try:
        yield
    finally:
        connections[alias].close()
        settings["USER"] = before


def refusal(server: Server) -> str:
    """Return the words with which a server refuses a connection, or nothing if it accepts one."""
    try:
        server.connect().close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


@contextmanager
def once_it_sleeps(server: Server, act: Callable[[int], object]) -> Iterator[None]:
    """Do something as soon as a client of the server sleeps in a query, knowing the process that serves it."""
    asleep = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

    def disturb() -> None:
        ((pid,),) = wait_until(lambda: server.query(asleep), 20, "a query to sleep")
        act(pid)

    thread = Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def conflicts(server: Server, kind: str) -> int:
    """Return how many queries a standby has cancelled for one kind of conflict with replay."""
    ((count,),) = server.query(f"SELECT confl_{kind} FROM pg_stat_database_conflicts WHERE datname = '{DATABASE}'")
    return int(count)
