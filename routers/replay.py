"""Reads that a replica failed to answer, asked again before anybody notices: of the next replica, or the primary."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, NamedTuple

from django.db import connections
from django.db.utils import Error
from psycopg import Error as PsycopgError
from psycopg import ServerCursor

from rollout.bucketing import rank
from rollout.models import TallyKind
from rollout.models.rule import OverBudget
from rollout.options import Cluster
from rollout.reasons import Cause, Reason
from rollout.settings import get_settings
from routers.connecting import prepare, report
from routers.current import current, current_unit
from routers.decisions import Asked, Terms
from routers.failures import Failure, failure_of
from routers.fallback import ShedError, may_fall_back
from routers.freshness import Check
from routers.in_flight import Wait
from routers.meter import meter
from routers.portal import PortalCursor
from routers.series import Series
from routers.unit import Unit

logger = logging.getLogger("readshift")

_MOST_ATTEMPTS = 3
"""How many replicas are asked in all. A read that two or three of them cannot answer is one for the primary."""

_CATCH_UP_SECONDS = 0.1
"""How long another replica may take to show what everybody has been shown. It is milliseconds behind, or far."""

_replaying: ContextVar[bool] = ContextVar("readshift_replaying", default=False)


class Attempt(NamedTuple):
    """A read that failed: the statement, where it failed, and the cursor of the host's that waits for its rows."""

    cluster: Cluster
    alias: str
    sql: Any
    params: Any
    waiting: Any

    def answer(self, error: Exception, failure: Failure) -> Any:
        """Have another server answer, and give its rows to the cursor that waits for them.

        No row of the failed one was delivered. Raises what the last server raises, and `ShedError` over the budget.
        """
        report(self.cluster, self.alias, error, failure)
        here = current()
        unit = here.unit
        asked = here.answer_for(self.alias)
        terms = asked.decision.terms if asked is not None else None
        if unit is None or asked is None or terms is None:
            return self._answer_on(self.cluster.primary, unit, asked, failure)
        for alias in self._others(unit, terms):
            try:
                result = self._answer_on(alias, unit, asked, failure)
            except Error as another:
                if (failed := failure_of(another)) is None:
                    raise
                report(self.cluster, alias, another, failed)
            else:
                unit.trail.keep(terms.pool, alias)
                # Its own replica may be behind what this one has shown.
                unit.trail.note_displaced(self.cluster.primary, binds=False)
                return result
        return self._answer_on(self._last_resort(unit, asked, terms), unit, asked, failure)

    def move(self, alias: str) -> Any:
        """Run the statement on another server, and give its rows to the cursor that waits for them."""
        connection, unit = connections[alias], current_unit()
        if unit is not None:
            prepare(connection, unit)
        is_server_side = isinstance(self.waiting.cursor, ServerCursor | PortalCursor)
        answering = connection.chunked_cursor() if is_server_side else connection.cursor()
        result = answering.execute(self.sql, self.params)
        left, self.waiting.cursor = self.waiting.cursor, answering.cursor
        with suppress(PsycopgError):
            left.close()
        return result

    def _others(self, unit: Unit, terms: Terms) -> Iterator[str]:
        """Yield the other replicas that may answer, in the order in which they are the actor's."""
        check = Check(self.cluster, unit, wait_seconds=max(get_settings().wait_seconds, _CATCH_UP_SECONDS))
        for alias in self._pool(unit, terms)[: _MOST_ATTEMPTS - 1]:
            if check.may_take_over(alias, terms.contract):
                yield alias

    def _pool(self, unit: Unit, terms: Terms) -> list[str]:
        return [alias for alias in rank(terms.weights, unit.affinity) if alias != self.alias]

    def _last_resort(self, unit: Unit, asked: Asked, terms: Terms) -> str:
        """Return who answers when no replica may: the primary within the budget, and what the rule says beyond it."""
        if may_fall_back(unit) or terms.over_budget == OverBudget.PRIMARY:
            return self.cluster.primary
        if terms.over_budget == OverBudget.SHED:
            raise ShedError(asked.model._meta.label, unit.endpoint, get_settings().retry_after_seconds)
        check = Check(self.cluster, unit)
        return next(filter(check.may_serve_late, self._pool(unit, terms)), self.cluster.primary)

    def _answer_on(self, alias: str, unit: Unit | None, asked: Asked | None, failure: Failure) -> Any:
        is_primary = alias == self.cluster.primary
        if unit is not None and asked is not None:
            decision = replace(asked.decision, alias=alias, reason=Reason.REPLAYED, is_displaced=is_primary)
            current().take_down(alias, Asked(asked.model, decision))
        if unit is not None and is_primary:
            unit.trail.note_displaced(alias, binds=True)
        with _without_another():
            result = self.move(alias)
        model = asked.model._meta.label if asked is not None else ""
        endpoint = unit.endpoint if unit is not None else ""
        meter.add(
            Series(TallyKind.REPLAY, self.cluster.primary, self.alias, endpoint, model, failure.cause.value, alias)
        )
        return result


def replay(attempt: Attempt, error: Exception, wait: Wait) -> Any:
    """Have another server answer, unless the host has to see the error, which is raised then."""
    if (failure := failure_to_replay(error, wait)) is None:
        raise error
    return attempt.answer(error, failure)


def failure_to_replay(error: Exception, wait: Wait) -> Failure | None:
    """Return why a read failed that can be asked again elsewhere, or None if the host has to see the error.

    Within a transaction on the replica, earlier reads were part of the same snapshot. While one read is asked again,
    that one's own loop goes on to the next server.
    """
    if wait.connection.in_atomic_block or _replaying.get():
        return None
    failure = failure_of(error)
    return replace(failure, cause=Cause.CUT) if failure is not None and wait.is_cut else failure


@contextmanager
def _without_another() -> Iterator[None]:
    token = _replaying.set(True)
    try:
        yield
    finally:
        _replaying.reset(token)
