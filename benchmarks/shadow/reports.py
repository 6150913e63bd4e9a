"""What the workers have written down about the captured reads."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.progress import say
from demo.cluster import Server
from demo.waiting import wait_until
from rollout.outcomes import Outcome, ShadowCause

_REPORTS = """
SELECT endpoint, outcome, cause, statement, staleness_ms, rows, details FROM readshift_shadowread
WHERE id > %s AND state = %s AND (%s = '' OR endpoint = %s) ORDER BY id
"""
_STATES = "SELECT state, count(*) FROM readshift_shadowread WHERE id > %s GROUP BY state"
_MOST_EXAMPLES = 20
_NOT_WELL = {Outcome.DIVERGENT, Outcome.INCONCLUSIVE, Outcome.ERROR}
# `rollout.models.ShadowState.DONE`, which only a Django project can import.
_DONE = "done"
_COUNT = "SELECT count(*) FROM readshift_shadowread WHERE id > %s AND endpoint = %s"
_LAST = "SELECT coalesce(max(id), 0) FROM readshift_shadowread"


@dataclass(frozen=True, slots=True)
class Report:
    """How one comparison ended. The fields are those of `rollout.models.ShadowRead`."""

    endpoint: str
    outcome: str
    cause: str
    statement: str
    staleness_ms: float | None
    rows: int | None
    details: dict[str, Any]

    @property
    def is_left_out(self) -> bool:
        """Whether it was not compared because it need not answer the same twice."""
        return self.cause == ShadowCause.NONDETERMINISTIC


@dataclass(frozen=True, slots=True)
class Reports:
    """The captured reads of a database."""

    server: Server
    database: str

    def last(self) -> int:
        """Return the number of the last one so far, which all later ones exceed."""
        ((number,),) = self.server.query(_LAST, dbname=self.database)
        return int(number)

    def count(self, since: int, endpoint: str) -> int:
        """Return how many reads of an endpoint were captured after this number."""
        ((number,),) = self.server.query(_COUNT, [since, endpoint], self.database)
        return int(number)

    def progress(self, since: int) -> tuple[int, int]:
        """Return how many of those after this number are done, and how many are open."""
        states: Counter[str] = Counter(dict(self.server.query(_STATES, [since], self.database)))
        done = states.pop(_DONE, 0)
        return done, states.total()

    def read(self, since: int, endpoint: str = "") -> list[Report]:
        """Return those after this number that are done; of one endpoint, or of all."""
        values = [since, _DONE, endpoint, endpoint]
        return [Report(*row) for row in self.server.query(_REPORTS, values, self.database)]


def compared(reports: Iterable[Report]) -> int:
    """Return how many ended with an answer: equal, equal in the end, or divergent."""
    return sum(report.outcome in {Outcome.EQUAL, Outcome.CAUGHT_UP, Outcome.DIVERGENT} for report in reports)


def by_outcome(reports: Iterable[Report]) -> Counter[str]:
    """Count by outcome and cause."""
    return Counter(f"{report.outcome} {report.cause}".strip() for report in reports)


def tell(phase: str, reports: Sequence[Report], errors: Counter[str]) -> None:
    """Say how reads and requests ended, with an example of each way not to end well; of divergent ones, many."""
    say(phase, f"{dict(by_outcome(reports))}, errors: {dict(errors)}")
    for report in examples(reports)[:_MOST_EXAMPLES]:
        say(phase, f"{report.outcome} {report.cause} at {report.endpoint}: {report.statement} {report.details}")


def examples(reports: Iterable[Report]) -> list[Report]:
    """Return one of each statement that ended divergent, then one of each error and of each other cause."""
    ways = {
        (
            each.outcome,
            each.cause,
            each.statement if each.outcome == Outcome.DIVERGENT else each.details.get("error"),
        ): each
        for each in reports
        if each.outcome in _NOT_WELL
    }
    return sorted(ways.values(), key=lambda each: each.outcome != Outcome.DIVERGENT)


def wait_until_compared(reports: Reports, since: int, expected: int, seconds: float) -> None:
    """Return when so many reads after this number are done, and none is open. Raises `TimeoutError`."""

    def is_compared() -> bool:
        done, left = reports.progress(since)
        return done >= expected and left == 0

    wait_until(is_compared, seconds, f"{expected} captured reads to be compared")
