"""Chooses reads to be compared and holds them until the courier writes them. On the request path: no query, no wait."""

import logging
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg import ServerCursor

from rollout.models import TallyKind
from rollout.options import Cluster
from rollout.outcomes import CaptureFate
from rollout.policy import Rule
from rollout.reasons import Reason
from rollout.settings import get_settings
from routers.captured import CapturedStatement
from routers.decisions import Asked
from routers.meter import Meter, meter
from routers.portal import PortalCursor
from routers.replicas import replicas
from routers.series import Series
from routers.statements import is_plain_read
from routers.unit import Unit

logger = logging.getLogger("readshift")

_OF_SESSION = (b"TimeZone", b"DateStyle", b"IntervalStyle", b"search_path")
"""What decides how values are read and shown, as far as the server reports it. The search path: from version 18 on."""


class Source(NamedTuple):
    """Which read it was: what it is counted and reported under."""

    cluster: str
    pool: str
    alias: str
    endpoint: str
    model: str
    reason: str


class CapturedRead(NamedTuple):
    """A read that waits to be written, as it came: what can be worked out later is left to the courier's thread.

    sql: the statement with placeholders, as the host gave it. sent: what psycopg made of it. session: the values of
    `_OF_SESSION`. seconds: since the epoch. position: where the server that answered was last known to be.
    """

    source: Source
    sql: Any
    sent: Any
    session: Sequence[bytes | None]
    seconds: float
    position: int | None

    @property
    def captured_at(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    @property
    def statement(self) -> CapturedStatement:
        """What went to the server. Bound by the client, parameters have no types: they are part of the statement."""
        sent = self.sent
        types = tuple(sent.types or ())
        reported = zip(_OF_SESSION, self.session, strict=True)
        return CapturedStatement(
            query=bytes(sent.query),
            parameters=tuple(None if value is None else bytes(value) for value in sent.params) if types else (),
            types=types,
            formats=tuple(map(int, sent.formats or ())),
            session={name.decode(): value.decode() for name, value in reported if value is not None},
        )


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
    _left_out: Counter[Source] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, cluster: Cluster, asked: Asked, unit: Unit, sql: Any, cursor: Any) -> None:
        """Capture a read that has just been answered, if a rule wants it. cursor: Django's, after it was executed.

        Whatever goes wrong here is logged, and the host does not notice.
        """
        decision = asked.decision
        terms = decision.terms
        if terms is None or not terms.captured_by or decision.reason is Reason.STRICT:
            return
        chosen = [rule for rule in terms.captured_by if rule.shadow_share >= 1 or self.dice() < rule.shadow_share]
        if not chosen:
            return
        source = Source(
            cluster.primary,
            terms.pool,
            decision.alias,
            unit.endpoint,
            asked.model._meta.label,
            decision.reason._value_,
        )
        try:
            if (fate := self._capture(source, chosen, sql, cursor.cursor)) is not None:
                self.note(source, fate)
        except Exception:
            logger.exception("A read of %s could not be captured.", source.model)

    def _capture(self, source: Source, chosen: Sequence[Rule], sql: Any, cursor: Any) -> CaptureFate | None:
        """Return why the read is not captured, or None. Those over the cap are counted by the way: they are many."""
        if fate := _unfit(cursor):
            return fate
        if not self._has_room(chosen, source):
            return None
        # Documented for debugging, and the only place that has values exactly as they were adapted.
        sent, settings = cursor._query, get_settings()  # noqa: SLF001
        if _size(sent) > settings.shadow_statement_bytes:
            return CaptureFate.TOO_LARGE
        if len(self._waiting) >= settings.shadow_queue:
            return CaptureFate.QUEUE_FULL
        position = replicas.standing(source.alias).position
        reports = cursor.connection.pgconn.parameter_status
        session = [reports(name) for name in _OF_SESSION]
        self._waiting.append(
            CapturedRead(source, sql, sent, session, time.time(), position.lsn if position is not None else None)
        )
        self.on_captured()
        return None

    def _has_room(self, chosen: Sequence[Rule], source: Source) -> bool:
        """Say whether one of the rules may capture one more in this second, and take that down."""
        second = int(self.clock())
        # Two threads must not both take the last place.
        with self._lock:
            for rule in chosen:
                window = self._windows.setdefault(rule.target, _Window())
                if window.second != second:
                    window.second, window.count = second, 0
                if window.count < rule.shadow_per_second:
                    window.count += 1
                    return True
            self._left_out[source] += 1
            return False

    def take(self, most: int) -> list[CapturedRead]:
        """Return up to so many captured reads, the oldest first, and forget them. Counts them, and those left out."""
        taken: list[CapturedRead] = []
        fates: Counter[tuple[Source, CaptureFate]] = Counter()
        while self._waiting and len(taken) < most:
            read = self._waiting.popleft()
            # Of long statements this takes a while, and no request has to wait for it here.
            is_plain = isinstance(read.sql, str) and is_plain_read(read.sql)
            fates[read.source, CaptureFate.CAPTURED if is_plain else CaptureFate.NOT_PLAIN] += 1
            if is_plain:
                taken.append(read)
        fates.update({(source, CaptureFate.OVER_RATE): count for source, count in self._take_left_out().items()})
        for (source, fate), count in fates.items():
            self.note(source, fate, count)
        return taken

    def _take_left_out(self) -> Counter[Source]:
        with self._lock:
            left_out, self._left_out = self._left_out, Counter()
        return left_out

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
        self._left_out.clear()


def _unfit(cursor: Any) -> CaptureFate | None:
    """Return why a worker cannot run the statement as it was run here, or None if it can, as far as is seen at once."""
    if isinstance(cursor, ServerCursor | PortalCursor):
        return CaptureFate.CURSOR
    return CaptureFate.SESSION_STATE if get_settings().session_state is not None else None


def _size(sent: Any) -> int:
    """Return the bytes of a statement. Parameters that are bound by the client are part of it."""
    return len(sent.query) + (sum(len(value) for value in sent.params if value is not None) if sent.types else 0)


capture = Capture(meter)
"""The captured reads of this process."""
