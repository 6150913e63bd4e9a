"""A server with a copy that can differ from it, a database that subscribes to another one; and work in between."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event

import pytest
from django.db import connections

from demo.cluster import Cluster, FolderInUseError, default_root
from demo.cluster import Server as Postgres
from tests.support import Servers


@pytest.fixture
def publishing(servers: Servers) -> Iterator[Cluster]:
    """A server with a database that publishes a table, and another one that subscribes to it."""
    with running_publisher() as started:
        yield started


@contextmanager
def running_publisher() -> Iterator[Cluster]:
    """Run a server with the databases “postgres”, which publishes a table, and “copy”, which subscribes to it."""
    for number in count(1):
        started = Cluster(default_root(f"tests-logical{number}"), replicas=0, settings={"wal_level": "logical"})
        try:
            started.start()
        except FolderInUseError:
            continue
        break
    primary, table = started.primary, "CREATE TABLE thing (id int PRIMARY KEY, name text)"
    try:
        primary.query("CREATE DATABASE copy")
        for database in ("postgres", "copy"):
            primary.query(table, dbname=database)
        primary.query("INSERT INTO thing VALUES (1, 'one'), (2, 'two')")
        primary.query("CREATE PUBLICATION things FOR TABLE thing")
        primary.query("SELECT pg_create_logical_replication_slot('things', 'pgoutput')")
        address = f"host={primary.host} port={primary.port} user=postgres dbname=postgres"
        primary.query(
            f"CREATE SUBSCRIPTION things CONNECTION '{address}' PUBLICATION things WITH (create_slot = false)",
            dbname="copy",
        )
        yield started
    finally:
        started.stop()


@contextmanager
def leading_to(alias: str, server: Postgres, database: str) -> Iterator[None]:
    """Have an alias lead to another server."""
    settings = connections[alias].settings_dict
    before = settings["PORT"], settings["NAME"]
    settings["PORT"], settings["NAME"] = server.port, database
    try:
        yield
    finally:
        settings["PORT"], settings["NAME"] = before


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Keep doing something in another thread, again and again."""
    is_over = Event()

    def run() -> None:
        try:
            while not is_over.is_set():
                work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            yield
        finally:
            is_over.set()
            running.result()
