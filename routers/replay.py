"""Reads that a replica failed to answer, asked again of the primary before anybody notices."""

import logging
import time
from contextlib import suppress
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error
from psycopg import Error as PsycopgError
from psycopg import ServerCursor

from rollout.options import Cluster
from rollout.reasons import Reason
from routers.failures import failure_of
from routers.health import Finding
from routers.replicas import replicas
from routers.unit import Asked, Decision, current_unit

logger = logging.getLogger("readshift")


def is_lost(error: Exception) -> bool:
    """Say whether this error means that the server is not there any more, or not yet."""
    failure = failure_of(error)
    return failure is not None and failure.is_replica_fault


def may_replay(error: Exception, connection: BaseDatabaseWrapper) -> bool:
    """Say whether a read that failed so on a replica can be asked again elsewhere.

    Within a transaction on the replica, earlier reads were part of the same snapshot, so that the host has to see the
    error.
    """
    return not connection.in_atomic_block and failure_of(error) is not None


def replay(cluster: Cluster, error: Exception, sql: Any, params: Any, context: dict[str, Any]) -> Any:
    """Run a read that failed on a replica on the primary, and give its rows to the cursor that waits for them.

    No row of the failed one was delivered: rows are handed on after it was executed. Raises what the primary raises.
    """
    alias: str = context["connection"].alias
    report(cluster, alias, error)
    unit = current_unit()
    if unit is not None:
        asked = unit.asked.get(alias)
        if asked is not None:
            unit.asked[cluster.primary] = Asked(asked.model, Decision(cluster.primary, Reason.REPLAYED))
        unit.trail.note_displaced(cluster.primary, binds=True)
    waiting = context["cursor"]
    primary = connections[cluster.primary]
    answering = primary.chunked_cursor() if isinstance(waiting.cursor, ServerCursor) else primary.cursor()
    result = answering.execute(sql, params)
    failed, waiting.cursor = waiting.cursor, answering.cursor
    with suppress(PsycopgError):
        failed.close()
    return result


def is_connected(cluster: Cluster, alias: str) -> bool:
    """Connect to a replica that a read is about to go to, and say whether that worked.

    The read itself would connect, but nothing can be done there any more about a server that refuses.
    """
    connection = connections[alias]
    if connection.in_atomic_block:
        return True
    try:
        if connection.errors_occurred and not connection.is_usable():
            connection.close()
        connection.errors_occurred = False
        connection.close_if_health_check_failed()
        connection.ensure_connection()
    except SynchronousOnlyOperation:
        # Asked on an event loop, where nothing connects. The read itself runs in a thread.
        return True
    except Error as error:
        report(cluster, alias, error)
        return False
    return True


def report(cluster: Cluster, alias: str, error: Exception) -> None:
    """Tell the others of this process that a replica failed, so that they do not have to find out."""
    logger.warning("The replica %r failed, so the primary is read instead: %s", alias, error)
    if is_lost(error):
        words = " ".join(str(error).split())
        replicas.record(cluster, alias, Finding(time.monotonic(), error=words or type(error).__name__))
