"""What a worker learns from one server: what a captured statement answers there, and where the server stands.

It changes no data.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Self

from psycopg.pq.abc import PGresult

from rollout.settings import get_settings
from routers.captured import CapturedStatement
from routers.libpq import Deadline
from routers.positions import settle_lsn
from routers.probe import FLUSH
from tasks.comparing.answers import Answer, Column, Digest, Selector
from tasks.comparing.links import GRACE_SECONDS, Link
from tasks.comparing.questions import (
    DEFAULT_PLAN,
    PLANS,
    POSITION,
    WHAT_KIND,
    Kind,
    kind_of,
    needs_transaction,
    opening,
    setting,
)
from tasks.comparing.read_errors import ReadError
from tasks.comparing.readings import Reading, columns_of, rows_of

logger = logging.getLogger("readshift")

_TEXT = 25
"""The OID of the type text."""

_FIRST_DELAY_SECONDS = 0.005
_LONGEST_DELAY_SECONDS = 0.025
_GROWTH = 1.25

# Answers are compared by the process that reads them, so nobody else needs to know it.
_KEY = secrets.token_bytes(32)


class Server:
    """One server, by its alias, for one thread. Used as a context manager, which connects and hangs up.

    timeout: seconds for one statement, which the server is told, and which it is not waited for much longer. most_rows,
    most_bytes: what an answer may hold of rows. By default they are the project's options.

    Everything raises `ReadError`. A server that does not answer in time, or hangs up, can be asked nothing more.
    """

    def __init__(
        self,
        alias: str,
        *,
        timeout: float | None = None,
        most_rows: int | None = None,
        most_bytes: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        options = get_settings()
        cluster = options.cluster_of_alias(alias)
        self.alias = alias
        self._timeout = options.shadow_timeout_seconds if timeout is None else timeout
        self._most_rows = options.shadow_rows if most_rows is None else most_rows
        self._most_bytes = options.shadow_bytes if most_bytes is None else most_bytes
        self._is_configured_as_primary = cluster is not None and cluster.primary == alias
        self._clock, self._sleep = clock, sleep
        self._link = Link(alias)
        self._kind = Kind.PRIMARY
        self._originals: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._link.connect()
            (answer,) = self._link.ask(WHAT_KIND, self._deadline())
            is_standby, has_subscription = (answer.get_value(0, column) == b"true" for column in range(answer.nfields))
            self._kind = kind_of(is_standby, has_subscription, self._is_configured_as_primary)
            self._link.is_standby = is_standby
        except BaseException:
            self._link.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._link.close()

    @property
    def _statement_timeout(self) -> str:
        return str(max(1, round(self._timeout * 1000)))

    @property
    def kind(self) -> Kind:
        """What the server was when the connection was made."""
        return self._kind

    @property
    def is_broken(self) -> bool:
        """Whether it can be asked nothing more."""
        return self._link.is_broken

    def read(
        self, statement: CapturedStatement, plan: Mapping[str, str] = DEFAULT_PLAN, selector: Selector | None = None
    ) -> Reading:
        """Return what the statement answers in a snapshot of its own. plan: settings for it, by name."""
        return self.read_under(statement, (plan,), selector)[0]

    def read_under(
        self,
        statement: CapturedStatement,
        plans: Sequence[Mapping[str, str]] = PLANS,
        selector: Selector | None = None,
    ) -> tuple[Reading, ...]:
        """Return what the statement answers in one snapshot under each of these plans, so that it may show whether it
        need answer the same twice. Where it need not, no difference between servers counts.
        """
        deadline = self._deadline(len(plans))
        settings = {**statement.session, "statement_timeout": self._statement_timeout}
        try:
            is_local = needs_transaction(self._kind, len(plans))
            if not is_local:
                settings = self._own_settings(settings, deadline) | settings
            expressions = self._setting(settings, is_local=is_local)
            begin = opening(self._kind, expressions, is_for_several=len(plans) > 1)
            opened = self._link.ask(begin, deadline)
            at, position = self._clock(), self._settled(next(result for result in opened if result.nfields))
            return tuple(
                Reading(position, at, self._answer_under(plan, statement, selector, deadline)) for plan in plans
            )
        finally:
            self._link.roll_back(deadline)

    @property
    def version(self) -> int:
        """The server's version as libpq tells it: 180000 is 18."""
        return self._link.version

    def rows(self, sql: str, params: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Return the answer to a question of our own, as `tasks.comparing.asker.Asker` has it."""
        return self.rows_within({}, sql, params)

    def rows_within(self, session: Mapping[str, str], sql: str, params: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Return the same, asked in a session that has these settings."""
        deadline = self._deadline()
        values = tuple(param.encode() for param in params)
        question = CapturedStatement(sql.encode(), values, (_TEXT,) * len(values), (0,) * len(values))
        settings = self._setting({**session, "statement_timeout": self._statement_timeout})
        try:
            self._link.ask(f"BEGIN READ ONLY; SELECT {settings}", deadline)
            with closing(self._link.stream(question, deadline)) as results:
                rows = [row for result in results for row in rows_of(result)]
        finally:
            self._link.roll_back(deadline)
        return [tuple(None if value is None else value.decode() for value in row) for row in rows]

    def position(self) -> int:
        """Return where the server stands now, in bytes of the log: see `Kind`."""
        return self._position_by(self._deadline())

    def wait_for(self, position: int, until: float) -> float | None:
        """Return the monotonic time at which the server was seen to have reached a position, or None if it had not
        when `until` came.
        """
        delay = _FIRST_DELAY_SECONDS
        while self._position_by(self._deadline(latest=until + GRACE_SECONDS)) < position:
            if (left := until - self._clock()) <= 0:
                return None
            self._sleep(min(delay, left))
            delay = min(delay * _GROWTH, _LONGEST_DELAY_SECONDS)
        return self._clock()

    def write_out(self) -> None:
        """Have a primary write out what no commit has written out yet, as `FLUSH` does, so that replicas receive it.

        A role that may not do it leaves things as they are.
        """
        try:
            self._link.ask(FLUSH, self._deadline())
        except ReadError as error:
            if self.is_broken:
                raise
            logger.debug("%r did not write out its log: %s", self.alias, error)

    def _deadline(self, statements: int = 1, latest: float = float("inf")) -> Deadline:
        seconds = statements * self._timeout + GRACE_SECONDS
        return Deadline(min(self._clock() + seconds, latest), f"no answer within {seconds:g} s", self._clock)

    def _position_by(self, deadline: Deadline) -> int:
        (answer,) = self._link.ask(f"SELECT {POSITION[self._kind]}", deadline)
        return self._settled(answer)

    def _settled(self, answer: PGresult) -> int:
        position = int(answer.get_value(0, 0) or 0)
        return settle_lsn(position) if self._kind is Kind.PRIMARY else position

    def _own_settings(self, names: Iterable[str], deadline: Deadline) -> dict[str, str]:
        """Return what the session had set by itself, of these names and of those that statements have set since."""
        if unknown := [name for name in names if name not in self._originals]:
            columns = ", ".join(f"current_setting({self._link.literal(name)})" for name in unknown)
            (answer,) = self._link.ask(f"SELECT {columns}", deadline)
            (row,) = rows_of(answer)
            self._originals |= {name: (value or b"").decode() for name, value in zip(unknown, row, strict=True)}
        return self._originals

    def _setting(self, settings: Mapping[str, str], *, is_local: bool = True) -> str:
        literal = self._link.literal
        return setting(((literal(name), literal(value)) for name, value in settings.items()), is_local=is_local)

    def _answer_under(
        self, plan: Mapping[str, str], statement: CapturedStatement, selector: Selector | None, deadline: Deadline
    ) -> Answer:
        if not plan:
            return self._answer(statement, selector, deadline)
        self._link.ask(f"SAVEPOINT plan; SELECT {self._setting(plan)}", deadline)
        answer = self._answer(statement, selector, deadline)
        self._link.ask("ROLLBACK TO SAVEPOINT plan", deadline)
        return answer

    def _answer(self, statement: CapturedStatement, selector: Selector | None, deadline: Deadline) -> Answer:
        digest = Digest(_KEY, most_rows=self._most_rows, most_bytes=self._most_bytes, selector=selector)
        columns: tuple[Column, ...] = ()
        sent_at = self._clock()
        with closing(self._link.stream(statement, deadline)) as results:
            for result in results:
                columns = columns or columns_of(result)
                digest.extend(rows_of(result))
        return digest.answer(columns, took_ms=(self._clock() - sent_at) * 1000)
