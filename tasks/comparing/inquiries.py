"""What is asked of two servers besides the statement itself: whether it may run, and why its answers differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from rollout.outcomes import Outcome, ShadowCause
from rollout.sealing import keyed_hash
from rollout.settings import get_settings
from tasks.comparing.answers import Answer
from tasks.comparing.cases import Case, mark
from tasks.comparing.differences import Difference, Privacy, compare
from tasks.comparing.explanations import explain
from tasks.comparing.names import relations_in
from tasks.comparing.narrowing import narrow
from tasks.comparing.questions import Kind
from tasks.comparing.results import Result
from tasks.comparing.servers import Server
from tasks.comparing.surroundings import SurroundingDifference, differences_between, read_surroundings
from tasks.comparing.volatility import Calls, assess, calls_of

_COLUMNS = """
SELECT pg_class.oid::text, attnum::text, concat_ws('.', relname, attname)
FROM pg_catalog.pg_class JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid
WHERE pg_class.oid = ANY (string_to_array($1, ',')::oid[])
"""

_CHOSEN_BY_SURROUNDINGS = frozenset({ShadowCause.SETTINGS, ShadowCause.COLLATION})


@dataclass(slots=True)
class Inquiry:
    """Two servers, and what was learned of the statements of one batch, by fingerprint."""

    primary: Server
    replica: Server
    _calls: dict[str, Calls] = field(default_factory=dict)

    def refusal(self, fingerprint: str, query: bytes) -> Result | None:
        """Return why a statement must not run, or None if it is a plain read."""
        assessment = assess(self._called(fingerprint, query).functions)
        if assessment.is_allowed:
            return None
        details = {"functions": list(assessment.volatile)}
        return Result(Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC, details=details)

    def explain_movement(self, case: Case) -> None:
        """End a case whose primary did not answer the same for long enough."""
        is_by_itself = assess(self._called_by(case).functions).of_the_clock or self._varies(case)
        case.end(Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC if is_by_itself else ShadowCause.MOVED)

    def explain_difference(self, case: Case) -> None:
        """End a case whose answers differ for good: as divergent, unless each server may answer as it likes."""
        difference = self._difference(case)
        if difference is None:
            # They have come to agree while they were looked at again.
            case.end(Outcome.INCONCLUSIVE, ShadowCause.MOVED)
            return
        called, surroundings = self._called_by(case), self._surroundings(case)
        cause = explain(
            difference.cause,
            surroundings,
            [case.statement.query, *called.views],
            _types(case.primary.answer, difference),
        )
        tells_of_session = assess(called.functions).of_the_session and cause not in _CHOSEN_BY_SURROUNDINGS
        if tells_of_session or self._varies(case):
            case.end(Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC)
            return
        told = [{"name": one.name, "primary": one.primary, "replica": one.replica} for one in surroundings]
        case.end(Outcome.DIVERGENT, cause, details={**difference.details, "surroundings": told})

    def _called_by(self, case: Case) -> Calls:
        return self._called(case.read.fingerprint, case.statement.query)

    def _called(self, fingerprint: str, query: bytes) -> Calls:
        if fingerprint not in self._calls:
            self._calls[fingerprint] = calls_of(self.primary, query)
        return self._calls[fingerprint]

    def _varies(self, case: Case) -> bool:
        """Say whether one server answers differently in one and the same snapshot, going another way about it."""
        readings = self.primary.read_under(case.statement)
        return len({mark(reading.answer, case.is_ordered) for reading in readings}) > 1

    def _difference(self, case: Case) -> Difference | None:
        """Return how the latest answers differ, reading again what is too large to hold."""
        primary, replica = case.primary.answer, case.replica.answer
        while (selector := narrow(primary, replica)) is not None:
            primary = self.primary.read(case.statement, selector=selector).answer
            replica = self.replica.read(case.statement, selector=selector).answer
        return compare(
            primary,
            replica,
            Privacy(keyed_hash, self._shown(primary)),
            is_ordered=case.is_ordered,
            are_types_shared=self.replica.kind is Kind.STANDBY,
        )

    def _shown(self, answer: Answer) -> Collection[int]:
        """Return the numbers of the columns whose values the host has allowed to be shown."""
        allowed = get_settings().shadow_columns
        tables = sorted({str(column.table) for column in answer.columns if column.table})
        if not allowed or not tables:
            return ()
        rows = self.primary.rows(_COLUMNS, [",".join(tables)])
        names = {(table, number): name for table, number, name in rows}
        return frozenset(
            place
            for place, column in enumerate(answer.columns)
            if names.get((str(column.table), str(column.number))) in allowed
        )

    def _surroundings(self, case: Case) -> Sequence[SurroundingDifference]:
        names = frozenset(relations_in(case.statement.query)).union(*map(relations_in, self._called_by(case).views))
        session = case.statement.session
        sides = (
            read_surroundings(Session(server, session), server.version, names)
            for server in (self.primary, self.replica)
        )
        return differences_between(*sides)


@dataclass(frozen=True, slots=True)
class Session:
    """Asks a server as a statement finds it that was captured in a session with these settings."""

    server: Server
    settings: Mapping[str, str]

    def rows(self, sql: str, params: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Return the answer. Raises `tasks.comparing.read_errors.ReadError`."""
        return self.server.rows_within(self.settings, sql, params)


def _types(answer: Answer, difference: Difference) -> Collection[int]:
    """Return the types of the columns that differ; of all, where whole rows do."""
    is_by_column = difference.cause is ShadowCause.CHANGED_COLUMN
    changed = {each["column"] for each in difference.details.get("columns", ())} if is_by_column else set()
    return {column.type for column in answer.columns if not changed or column.name in changed}
