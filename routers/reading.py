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
from routers.departures import departures
from routers.in_flight import in_flight
from routers.meter import meter, statement_series
from routers.portal import PortalCursor
from routers.recording import recordings
from routers.replay import Attempt, replay
from routers.router import decide_read


def read_replica(execute: Callable[..., Any], sql: Any, params: Any, context: dict[str, Any], cluster: Cluster) -> Any:
    """Run one read on a replica, as an execute wrapper does, and count it where it was answered."""
    connection: BaseDatabaseWrapper = context["connection"]
    alias, waiting, here = connection.alias, context["cursor"], current()
    unit = here.unit
    if (other := _elsewhere(here, connection)) is not None:
        return Attempt(cluster, alias, sql, params, waiting).move(other)
    asked = here.answer_to(alias, sql)
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
        if unit is not None and asked is not None:
            capture.offer(cluster, asked, unit, sql, waiting)
        return result
    finally:
        departures.end()
        if asked is not None and asked.reads is not None:
            series = asked.reads.series
            asked.reads.number += 1
        else:
            endpoint = unit.endpoint if unit is not None else None
            series = statement_series(TallyKind.READ, cluster.primary, alias, endpoint, asked)
            meter.add(series)
        for recording in onlookers:
            recording.note(series, sql, time.perf_counter() - began)


def _elsewhere(here: Current, connection: BaseDatabaseWrapper) -> str | None:
    """Return where a read that is about to be sent to this replica belongs now, or None if it belongs there.

    Only what a remembered decision has led there is looked at. Within a transaction on the replica it stays, as what
    was read before is part of the same snapshot.
    """
    unit, asked = here.unit, here.answer_for(connection.alias)
    if unit is None or asked is None or asked.given is None or not asked.is_fresh or connection.in_atomic_block:
        return None
    known, seat = here.remembered.get(asked.model), departures.here.seat
    # Before anything is looked at: whoever takes over another policy after this waits for this read.
    seat.departed_at = now = time.monotonic()
    if known is not None and known.asked is asked and known.holds(unit, seat, now):
        return None
    departures.end()
    # This answer led nowhere, and the one that is given instead counts.
    asked.given.number -= 1
    alias = decide_read(asked.model, {}, here)
    return alias if alias != connection.alias else None
