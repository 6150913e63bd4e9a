"""One read on a replica: the last look at its decision, the answer, and another server's if there is none."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error
from psycopg import ServerCursor

from rollout.models.tally import TallyKind
from rollout.options import Cluster
from routers.capture import capture
from routers.current import Current, current
from routers.decisions import Asked
from routers.departures import NEVER, departures
from routers.in_flight import Wait, in_flight
from routers.meter import meter, statement_series
from routers.portal import PortalCursor
from routers.recording import recordings
from routers.remembered import Remembered
from routers.replay import Attempt, replay
from routers.router import decide_read
from routers.unit import Unit


def read_replica(execute: Callable[..., Any], sql: Any, params: Any, context: dict[str, Any], cluster: Cluster) -> Any:
    """Run one read on a replica, as an execute wrapper does, and count it where it was answered."""
    connection: BaseDatabaseWrapper = context["connection"]
    alias, waiting, here = connection.alias, context["cursor"], current()
    unit, asked = here.unit, here.answer_about(alias, sql)
    if unit is not None and asked is not None and not _belongs(here, unit, asked, connection):
        other = decide_read(asked.model, {}, here)
        if other is not None and other != alias:
            return Attempt(cluster, alias, sql, params, waiting).move(other)
        asked = here.answer_for(alias)
    if asked is not None and not asked.precedes(sql):
        asked = None
    onlookers = recordings()
    began = time.perf_counter() if onlookers else 0.0
    try:
        with in_flight.wait(connection) as wait:
            try:
                result = execute(sql, params, False, context)
            except Error as error:
                return replay(Attempt(cluster, alias, sql, params, waiting), error, wait)
        if isinstance(waiting.cursor, ServerCursor):
            answer = partial(replay, Attempt(cluster, alias, sql, params, waiting))
            waiting.cursor = PortalCursor(waiting.cursor, connection, waiting, answer)
        elif isinstance(asked, Remembered) and not onlookers:
            asked.judge(sql, type(waiting.cursor))
        if unit is not None and asked is not None:
            capture.offer(cluster, asked, unit, sql, waiting)
        return result
    finally:
        departures.end()
        if isinstance(asked, Remembered):
            series = asked.reads.series
            asked.reads.number += 1
        else:
            endpoint = unit.endpoint if unit is not None else None
            series = statement_series(TallyKind.READ, cluster.primary, alias, endpoint, asked)
            meter.add(series)
        for recording in onlookers:
            recording.note(series, sql, time.perf_counter() - began)


def read_again(known: Remembered, execute: Callable[..., Any], sql: str, params: Any, context: dict[str, Any]) -> Any:
    """Do what `read_replica` does for a statement that the same answer has led to a replica before.

    Between two reads a thread sleeps, and finds nothing of its own in the processor's caches when it wakes. So this
    takes one way through little code.
    """
    here, seat, connection, waiting = current(), departures.here.seat, context["connection"], context["cursor"]
    # Before anything is looked at: whoever takes over another policy after this waits for this read.
    seat.departed_at = now = time.monotonic()
    if (
        (unit := here.unit) is None
        or connection is not known.replica
        or type(waiting.cursor) is not known.cursor
        or not known.holds(unit, seat, now)
    ):
        departures.end()
        return read_replica(execute, sql, params, context, known.cluster)
    here.given, known.statements = None, 1
    unit.asked[known.alias] = known
    known.given.number += 1
    known.reads.number += 1
    seat.connection, seat.is_cut = connection, False
    try:
        result = execute(sql, params, False, context)
    except Error as error:
        wait = Wait(connection, is_cut=seat.is_cut)
        return replay(Attempt(known.cluster, known.alias, sql, params, waiting), error, wait)
    finally:
        seat.connection, seat.departed_at = None, NEVER
    if known.is_captured:
        capture.offer(known.cluster, known, unit, sql, waiting)
    return result


def _belongs(here: Current, unit: Unit, asked: Asked, connection: BaseDatabaseWrapper) -> bool:
    """Say whether a read that this answer has led to a replica belongs there now, as it is about to be sent.

    Only what a remembered decision has led there is looked at, and not where code names the alias itself. Within a
    transaction on the replica it stays, as what was read before is part of the same snapshot.
    """
    if not isinstance(asked, Remembered):
        return True
    known, seat = here.remembered.get(asked.model), departures.here.seat
    # Of one that another thread has taken, it may be that one's statement which was seen to follow.
    if not asked.is_fresh and (known is None or known.seat is seat):
        return True
    # Before anything is looked at: whoever takes over another policy after this waits for this read.
    seat.departed_at = now = time.monotonic()
    if connection.in_atomic_block or (known is asked and asked.holds(unit, seat, now)):
        asked.given.number += 1
        return True
    departures.end()
    return False
