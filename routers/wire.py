"""What is seen on the wire: guards replicas against writes, notices writes, counts queries. Works with any engine."""

import time
from collections.abc import Callable, Sized
from contextlib import nullcontext
from functools import partial
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.utils import InternalError

from rollout.models.tally import TallyKind
from rollout.options import Cluster
from rollout.settings import get_settings, is_idle
from routers.capture import capture
from routers.current import current, current_unit
from routers.decisions import Asked
from routers.fallback import budget
from routers.in_flight import in_flight
from routers.meter import meter, statement_series
from routers.own_work import is_own_work
from routers.reading import read_again, read_replica
from routers.recording import recordings
from routers.reverse_guard import before_read
from routers.sessions import forbid_writes
from routers.statements import Effect, effect_of, outline
from routers.trail import outside_trail

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
    here = current()
    known, unit = here.given, here.unit
    is_known = known is not None and known.statements == 0 and type(sql) is str and sql in known.judged
    if is_known and known is not None and unit is not None and not many:
        return read_again(known, unit, execute, sql, params, context=context)
    alias, settings = connection.alias, get_settings()
    cluster = settings.cluster_of_alias(alias)
    if cluster is None or is_own_work():
        return execute(sql, params, many, context)
    effect = effect_of(sql, settings.writing_functions)
    if effect is Effect.READ and not many and alias != cluster.primary:
        return read_replica(execute, sql, params, context, cluster)
    asked = here.answer_to(alias, sql)
    if effect is Effect.WRITE:
        _before_write(alias, cluster, sql)
    elif effect is Effect.READ and alias == cluster.primary:
        before_read(cluster, asked, sql)
    onlookers = recordings()
    began = time.perf_counter() if onlookers else 0.0
    run = partial(execute, sql, params, many, context)
    try:
        if alias != cluster.primary:
            with in_flight.wait(connection):
                return run()
        result = _run_on_primary(run, asked, connection)
        if effect is Effect.READ and not many and unit is not None and asked is not None:
            capture.offer(cluster, asked, unit, sql, context["cursor"])
        return result
    finally:
        if effect is not Effect.CONTROL:
            kind = TallyKind.WRITE if effect is Effect.WRITE else TallyKind.READ
            endpoint = unit.endpoint if unit is not None else None
            series = statement_series(kind, cluster.primary, alias, endpoint, asked)
            meter.add(series, len(params) if many and isinstance(params, Sized) else 1)
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


def _before_write(alias: str, cluster: Cluster, sql: Any) -> None:
    here = current()
    unit = here.unit
    if alias != cluster.primary:
        asked = here.answer_for(alias)
        model = asked.model._meta.label if asked else ""
        raise ReplicaWriteError(alias, cluster.primary, model, unit.endpoint if unit else "", outline(sql))
    if not is_idle():
        (unit.trail if unit is not None else outside_trail()).note_write(alias)


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
    if connection.alias != cluster.primary:
        if connection.vendor == "postgresql":
            forbid_writes(connection)
    elif (unit := current_unit()) is not None:
        # Whether a transaction is open is looked up on the object that stood here before, if code has replaced it.
        unit.trail.turn()


def connect() -> None:
    """Watch connections from now on. Called once, when the apps are ready."""
    connection_created.connect(on_connection_created, dispatch_uid="readshift.wire")
