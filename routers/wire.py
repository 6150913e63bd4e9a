"""What is seen on the wire: guards replicas against writes, notices writes, counts queries. Works with any engine."""

import time
from collections.abc import Callable, Sized
from contextlib import nullcontext
from functools import partial
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.utils import Error, InternalError
from psycopg import ServerCursor

from rollout.models.tally import TallyKind
from rollout.options import Cluster
from rollout.reasons import Reason
from rollout.settings import get_settings, is_idle
from routers.capture import capture
from routers.decisions import Asked, Decision
from routers.departures import departures
from routers.fallback import budget
from routers.in_flight import Wait, in_flight
from routers.meter import Series, meter
from routers.own_work import is_own_work
from routers.portal import PortalCursor
from routers.recording import recordings
from routers.replay import Attempt, failure_to_replay
from routers.reverse_guard import before_read
from routers.sessions import forbid_writes
from routers.statements import Effect, effect_of, outline
from routers.trail import outside_trail
from routers.unit import current_unit

_READ_ONLY = "25006"


class ReplicaWriteError(InternalError):
    """A write was sent to a replica. Nothing reached the server.

    It is the class that Django raises for PostgreSQL's own refusal (SQLSTATE 25006).
    """

    def __init__(self, alias: str, primary: str, model: str, endpoint: str, statement: str) -> None:
        self.alias = alias
        super().__init__(
            f"Refused to send a write to the replica {alias!r}: {statement}\n"
            f"It came from {f'the endpoint {endpoint!r}' if endpoint else 'outside any unit'}"
            f"{f', after a read of {model}' if model else ''}. Send it to the primary: leave out .using({alias!r}), or "
            f"write .using({primary!r}), .db_manager({primary!r}) or save(using={primary!r})."
        )


def watch(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """The execute wrapper on every connection of a cluster."""
    connection: BaseDatabaseWrapper = context["connection"]
    alias, settings = connection.alias, get_settings()
    cluster = settings.cluster_of_alias(alias)
    if cluster is None or is_own_work():
        return execute(sql, params, many, context)
    run = partial(execute, sql, params, many, context)
    effect = effect_of(sql, settings.writing_functions)
    unit = current_unit()
    asked = unit.answer_for(alias, sql) if unit is not None else None
    if effect is Effect.WRITE:
        _before_write(alias, cluster, sql)
    elif effect is Effect.READ and alias == cluster.primary:
        before_read(cluster, asked, sql)
    is_one_read = effect is Effect.READ and not many
    onlookers = recordings()
    began = time.perf_counter() if onlookers else 0.0
    try:
        if alias == cluster.primary:
            result = _run_on_primary(run, asked, connection)
        elif is_one_read:
            result = _run_on_replica(run, Attempt(cluster, alias, sql, params, context["cursor"]), connection)
        else:
            with in_flight.wait(connection):
                result = run()
        if is_one_read and unit is not None and asked is not None:
            capture.offer(cluster, asked, unit, sql, context["cursor"])
        return result
    finally:
        if alias != cluster.primary:
            departures.end()
        if effect is not Effect.CONTROL:
            series = _count(alias, cluster, effect, asked, len(params) if many and isinstance(params, Sized) else 1)
            for recording in onlookers:
                recording.note(series, sql, time.perf_counter() - began)


def _run_on_primary(run: Callable[[], Any], asked: Asked | None, connection: BaseDatabaseWrapper) -> Any:
    with budget.running() if asked is not None and asked.decision.falls_back else nullcontext():
        try:
            return run()
        except InternalError as error:
            if getattr(error.__cause__, "sqlstate", None) == _READ_ONLY:
                # It was demoted. The next request connects anew, to wherever the alias leads by then.
                connection.close_at = 0
            raise


def _run_on_replica(run: Callable[[], Any], attempt: Attempt, connection: BaseDatabaseWrapper) -> Any:
    def replay(error: Exception, wait: Wait) -> Any:
        if (failure := failure_to_replay(error, wait)) is None:
            raise error
        return attempt.answer(error, failure)

    waiting = attempt.waiting
    with in_flight.wait(connection) as wait:
        try:
            result = run()
        except Error as error:
            return replay(error, wait)
    if isinstance(waiting.cursor, ServerCursor):
        waiting.cursor = PortalCursor(waiting.cursor, connection, waiting, replay)
    return result


def _before_write(alias: str, cluster: Cluster, sql: Any) -> None:
    unit = current_unit()
    if alias != cluster.primary:
        asked = unit.asked.get(alias) if unit else None
        model = asked.model._meta.label if asked else ""
        raise ReplicaWriteError(alias, cluster.primary, model, unit.endpoint if unit else "", outline(sql))
    if not is_idle():
        (unit.trail if unit is not None else outside_trail()).note_write(alias)


def _count(alias: str, cluster: Cluster, effect: Effect, asked: Asked | None, count: int) -> Series:
    unit = current_unit()
    if asked is not None:
        model, decision = asked.model._meta.label, asked.decision
    else:
        model, decision = "", Decision(alias, Reason.DIRECT if unit else Reason.OUTSIDE_UNIT)
    series = Series(
        TallyKind.WRITE if effect is Effect.WRITE else TallyKind.READ,
        cluster.primary,
        alias,
        unit.endpoint if unit else "",
        model,
        decision.reason.value,
        decision.candidate,
    )
    meter.add(series, count)
    return series


def install(connection: BaseDatabaseWrapper) -> None:
    """Watch a connection, once. First in the list, because `execute_wrapper()` blocks take theirs off the end."""
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, watch)


def on_connection_created(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Watch every new connection of a cluster, and make sure that a replica's session cannot write."""
    cluster = get_settings().cluster_of_alias(connection.alias)
    if cluster is None:
        return
    install(connection)
    if connection.alias != cluster.primary and connection.vendor == "postgresql":
        forbid_writes(connection)


def connect() -> None:
    """Watch connections from now on. Called once, when the apps are ready."""
    connection_created.connect(on_connection_created, dispatch_uid="readshift.wire")
