"""Chooses reads to be compared and holds them until the courier writes them. On the request path: no query, no wait."""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from psycopg import ServerCursor

from rollout.models import TallyKind
from rollout.options import Cluster
from rollout.outcomes import CaptureFate
from rollout.policy import Rule
from rollout.reasons import Reason
from rollout.settings import get_settings
from routers.captured import CapturedStatement
from routers.meter import Meter, Series, meter
from routers.portal import PortalCursor
from routers.replicas import replicas
from routers.statements import is_plain_read
from routers.unit import Asked, Unit

logger = logging.getLogger("readshift")

_OF_SESSION = ("TimeZone", "DateStyle", "IntervalStyle", "search_path")
"""What decides how values are read and shown, as far as the server reports it. The search path: from version 18 on."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which read it was: what it is counted and reported under."""

    cluster: str
    pool: str
    alias: str
    endpoint: str
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class CapturedRead:
    """A read that waits to be written. sql: the statement with placeholders, as the host gave it."""

    source: Source
    sql: str
    statement: CapturedStatement
    captured_at: datetime
    position: int | None


@dataclass(slots=True)
class _Window:
    """The second that runs, and how many reads of a rule were captured in it."""

    second: int = 0
    count: int = 0


@dataclass(slots=True)
class Capture:
    """The captured reads of one process. dice: returns a number from 0 to below 1. clock: seconds, never going back."""

    counts: Meter
    dice: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    on_captured: Callable[[], None] = lambda: None
    _waiting: deque[CapturedRead] = field(default_factory=deque)
    _windows: dict[str, _Window] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, cluster: Cluster, asked: Asked, unit: Unit, sql: Any, cursor: Any) -> None:
        """Capture a read that has just been answered, if a rule wants it. cursor: Django's, after it was executed.

        Whatever goes wrong here is logged, and the host does not notice.
        """
        terms = asked.decision.terms
        if terms is None or not terms.captured_by or asked.decision.reason is Reason.STRICT:
            return
        chosen = [rule for rule in terms.captured_by if self.dice() < rule.shadow_share]
        if not chosen:
            return
        source = Source(
            cluster.primary,
            terms.pool,
            asked.decision.alias,
            unit.endpoint,
            asked.model._meta.label,
            asked.decision.reason.value,
        )
        try:
            self.note(source, self._capture(source, chosen, sql, cursor.cursor))
        except Exception:
            logger.exception("A read of %s could not be captured.", source.model)

    def _capture(self, source: Source, chosen: Sequence[Rule], sql: Any, cursor: Any) -> CaptureFate:
        if fate := _unfit(sql, cursor):
            return fate
        if not any(self._has_room(rule) for rule in chosen):
            return CaptureFate.OVER_RATE
        settings, statement = get_settings(), _as_sent(cursor)
        if statement.size > settings.shadow_statement_bytes:
            return CaptureFate.TOO_LARGE
        if len(self._waiting) >= settings.shadow_queue:
            return CaptureFate.QUEUE_FULL
        position = replicas.standing(source.alias).position
        self._waiting.append(
            CapturedRead(source, sql, statement, timezone.now(), position.lsn if position is not None else None)
        )
        self.on_captured()
        return CaptureFate.CAPTURED

    def _has_room(self, rule: Rule) -> bool:
        """Say whether the rule may capture one more in this second, and take that down."""
        second = int(self.clock())
        # Two threads must not both take the last place.
        with self._lock:
            window = self._windows.setdefault(str(rule), _Window())
            if window.second != second:
                window.second, window.count = second, 0
            if window.count >= rule.shadow_per_second:
                return False
            window.count += 1
            return True

    def take(self, most: int) -> list[CapturedRead]:
        """Return up to so many captured reads, the oldest first, and forget them."""
        taken: list[CapturedRead] = []
        while len(taken) < most:
            try:
                taken.append(self._waiting.popleft())
            except IndexError:
                break
        return taken

    def note(self, source: Source, fate: CaptureFate, count: int = 1) -> None:
        """Count what became of reads."""
        self.counts.add(
            Series(TallyKind.SHADOW, source.cluster, source.alias, source.endpoint, source.model, fate.value), count
        )

    def forget(self) -> None:
        """Hold nothing, as a process that has just started. What a parent process holds, it writes itself."""
        self._lock = threading.Lock()
        self._waiting.clear()
        self._windows.clear()


def _unfit(sql: Any, cursor: Any) -> CaptureFate | None:
    """Return why a worker cannot run the statement as it was run here, or None if it can."""
    if isinstance(cursor, ServerCursor | PortalCursor):
        return CaptureFate.CURSOR
    if get_settings().session_state is not None:
        return CaptureFate.SESSION_STATE
    return None if isinstance(sql, str) and is_plain_read(sql) else CaptureFate.NOT_PLAIN


def _as_sent(cursor: Any) -> CapturedStatement:
    """Return what psycopg has just sent."""
    # Documented for debugging, and the only place that has values exactly as they were adapted.
    sent = cursor._query  # noqa: SLF001
    reports = cursor.connection.info.parameter_status
    # Bound by the client, parameters have no types: they are part of the statement.
    types = tuple(sent.types or ())
    return CapturedStatement(
        query=bytes(sent.query),
        parameters=tuple(None if value is None else bytes(value) for value in sent.params) if types else (),
        types=types,
        formats=tuple(map(int, sent.formats or ())),
        session={name: value for name in _OF_SESSION if (value := reports(name)) is not None},
    )


capture = Capture(meter)
"""The captured reads of this process."""
