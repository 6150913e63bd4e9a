"""Connections to replicas: made within a deadline, prepared as the host wants them, and reported when they fail."""

import logging
import time

from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error
from django.utils.module_loading import import_string

from rollout.options import Cluster
from rollout.reasons import Cause
from rollout.settings import get_settings
from routers.failures import Failure, failure_of
from routers.footing import footing
from routers.health import Finding
from routers.in_flight import in_flight
from routers.own_work import own_work
from routers.prober import prober
from routers.replicas import replicas
from routers.unit import Unit

logger = logging.getLogger("readshift")

CONNECT_TIMEOUT_SECONDS = 2
"""psycopg allows no less."""


def limit_waiting() -> None:
    """Bound how long a connection to a replica may take to come about, unless the host has said so.

    Without a bound a read waits for a server that hangs for as long as the operating system likes, which is minutes.
    Called once, when the apps are ready, before anything connects.
    """
    for alias in get_settings().replicas:
        if connections[alias].vendor != "postgresql":
            continue
        # A copy: settings often share one dictionary between the primary and its replicas.
        options = dict(connections.settings[alias]["OPTIONS"])
        options.setdefault("connect_timeout", CONNECT_TIMEOUT_SECONDS)
        if pool := options.get("pool"):
            options["pool"] = {"timeout": CONNECT_TIMEOUT_SECONDS, **(pool if isinstance(pool, dict) else {})}
        connections.settings[alias]["OPTIONS"] = options


def is_connected(cluster: Cluster, alias: str, unit: Unit) -> bool:
    """Connect to a replica that a read is about to go to, and say whether that worked.

    The read itself would connect, but nothing can be done there any more about a server that refuses.
    """
    connection = connections[alias]
    if connection.in_atomic_block:
        return True
    try:
        with in_flight.wait(connection) as wait:
            if connection.errors_occurred and not connection.is_usable():
                connection.close()
            connection.errors_occurred = False
            connection.close_if_health_check_failed()
            if connection.connection is None and (wait.is_cut or replicas.is_in_doubt(alias)):
                # What hangs would take the whole timeout, and nothing can cut off a connection that is being made.
                return False
            connection.ensure_connection()
            prepare(connection, unit)
    except SynchronousOnlyOperation:
        # Asked on an event loop, where nothing connects. The read itself runs in a thread.
        return True
    except Error as error:
        if (failure := failure_of(error)) is None:
            raise
        report(cluster, alias, error, failure)
        return False
    return True


def prepare(connection: BaseDatabaseWrapper, unit: Unit) -> None:
    """Have the host set what its statements rely on, once for each unit and connection. Raises what the host raises."""
    if (path := get_settings().session_state) is None:
        return
    connection.ensure_connection()
    if unit.prepared.get(connection.alias) is connection.connection:
        return
    set_state = import_string(path)
    with own_work():
        set_state(connection)
    unit.prepared[connection.alias] = connection.connection


def report(cluster: Cluster, alias: str, error: Exception, failure: Failure) -> None:
    """Tell the others of this process that a replica failed, so that they do not have to find out."""
    words = " ".join(str(error).split()) or type(error).__name__
    # What led this read there leads no other: its connection may be broken.
    footing.change()
    logger.warning(
        "The replica %r did not answer a read (%s), so another server is asked: %s", alias, failure.cause, words
    )
    if failure.cause is Cause.REFUSED and failure.is_replica_fault:
        replicas.record(cluster, alias, Finding(time.monotonic(), error=words, is_told=True))
    # A connection can break for a reason of its own, of which the server knows nothing.
    prober.hurry(alias)
