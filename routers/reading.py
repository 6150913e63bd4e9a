"""One read on a replica: the last look at its decision, the answer, and another server's if there is none."""

import time
from collections.abc import Callable
from functools import partial
from threading import get_ident
from typing import Any

from django.db.utils import Error
from psycopg import ServerCursor

from rollout.models.tally import TallyKind
from rollout.options import Cluster
from routers.capture import capture
from routers.current import Current, current
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
    connection = context["connection"]
    alias, waiting, here = connection.alias, context["cursor"], current()
    unit, asked = here.unit, here.answer_about(alias, sql)
    if unit is not None and isinstance(asked, Remembered) and _is_in_question(here, asked):
        if (other := _elsewhere(here, unit, asked, connection)) is not None:
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
        elif isinstance(asked, Remembered):
            asked.judge(sql, type(waiting.cursor))
        if unit is not None and asked is not None:
            capture.offer(cluster, asked, unit, sql, waiting)
        return result
    finally:
        departures.end()
        endpoint = unit.endpoint if unit is not None else None
        series = statement_series(TallyKind.READ, cluster.primary, alias, endpoint, asked)
        meter.add(series)
        for recording in onlookers:
            recording.note(series, sql, time.perf_counter() - began)


def _is_in_question(here: Current, asked: Remembered) -> bool:
    """Say whether a statement follows this answer, and is not one for which code names the alias itself."""
    known = here.remembered.get(asked.model)
    # Of one that another thread has taken, it may be that one's statement which was seen to follow.
    return asked.is_fresh or (known is not None and known.seat is not departures.here.seat)


def _elsewhere(here: Current, unit: Unit, asked: Remembered, connection: Any) -> str | None:
    """Return where a read that this answer has led to a replica belongs now, or None if it belongs there.

    Within a transaction on the replica it stays, as what was read before is part of the same snapshot.
    """
    seat = departures.here.seat
    # Before anything is looked at: whoever takes over another policy after this waits for this read.
    seat.departed_at = now = time.monotonic()
    is_known = here.remembered.get(asked.model) is asked and asked.seat is seat
    if connection.in_atomic_block or (is_known and asked.holds(unit, now)):
        _count_decision(asked, unit)
        return None
    departures.end()
    alias = decide_read(asked.model, {}, here)
    if alias != connection.alias:
        return alias
    if isinstance(again := here.answer_for(connection.alias), Remembered):
        _count_decision(again, unit)
    return None


def _count_decision(asked: Remembered, unit: Unit) -> None:
    """Count a remembered decision, because of which a statement is about to be sent."""
    meter.add(asked.series[0])
    unit.count_read(asked.decision)


def read_again(
    known: Remembered, unit: Unit, execute: Callable[..., Any], sql: str, params: Any, *, context: dict[str, Any]
) -> Any:
    """Do what `read_replica` does for a statement that the same answer has led to a replica before.

    Between two reads a thread sleeps, and finds nothing of its own in the processor's caches when it wakes. So this
    takes one way through little code.
    """
    connection, waiting, seat = context["connection"], context["cursor"], known.seat
    if seat.thread != get_ident() or connection is not known.replica or type(waiting.cursor) is not known.cursor:
        return read_replica(execute, sql, params, context, known.cluster)
    if recordings():
        return read_replica(execute, sql, params, context, known.cluster)
    # Before anything is looked at: whoever takes over another policy after this waits for this read.
    seat.departed_at = now = time.monotonic()
    if not known.holds(unit, now):
        return read_replica(execute, sql, params, context, known.cluster)
    known.statements = 1
    known.number += 1
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
