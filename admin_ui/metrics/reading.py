"""Reads all metrics at one moment, within a limited time and on a connection of its own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connections, transaction

from admin_ui.metrics import families
from admin_ui.metrics.counting import read_counters
from admin_ui.metrics.endpoints import began_at, period
from admin_ui.metrics.samples import Reading, Sample
from admin_ui.metrics.sight import see_servers
from admin_ui.metrics.steering import read_gauges
from rollout.settings import get_settings
from routers.apart import connection_apart
from routers.control import CONNECT_TIMEOUT_SECONDS, UNACKNOWLEDGED_TIMEOUT_MS, control_alias
from routers.own_work import own_work

logger = logging.getLogger("readshift")

STATEMENT_TIMEOUT_MS = 5_000
"""Prometheus gives up after ten seconds, and nobody would read what comes later."""


def read_stored() -> Reading:
    """Read what every process reads alike, as of one moment. Where the database fails, it says that and no more."""
    try:
        return _read_tables()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Readshift's tables could not be read, so most metrics are missing this time: %s", error)
        return Reading((Sample(families.READABLE, (), 0.0),))


def read_all() -> Reading:
    """Read that, and add how this process sees the servers: it is needed most while the primary is away."""
    stored = read_stored()
    return Reading((*stored.samples, *see_servers()), stored.durations, stored.began_at)


def _read_tables() -> Reading:
    settings = get_settings()
    length, most, using = period(settings.retention_days), settings.metrics_targets, control_alias()
    with own_work(), _snapshot(using):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT statement_timestamp()")
            (now,) = cursor.fetchone()
        counters, durations = read_counters(now, length, most, using)
        gauges = tuple(read_gauges(now, most, using))
    readable = Sample(families.READABLE, (), 1.0)
    return Reading((*counters, *gauges, readable), durations, began_at(now, length).timestamp())


@contextmanager
def _snapshot(alias: str) -> Iterator[None]:
    """Have this thread read from an alias as of one moment, read-only and with a time limit.

    The connection is its own: whoever asks waits neither for a pool nor, without end, for a server that is gone.
    """
    usual = connections[alias]
    connections[alias] = connection_apart(
        alias, connect_timeout=CONNECT_TIMEOUT_SECONDS, tcp_user_timeout=UNACKNOWLEDGED_TIMEOUT_MS
    )
    try:
        with transaction.atomic(using=alias):
            with connections[alias].cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")
            yield
    finally:
        connections[alias].close()
        connections[alias] = usual
