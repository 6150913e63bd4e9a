"""Compares reads on the primary and one replica: all of a batch together, so that they wait together."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from rollout.models import ShadowRead
from rollout.outcomes import Outcome, ShadowCause
from rollout.sealing import SealError
from rollout.settings import get_settings
from routers.captured import CapturedStatement, open_statement
from routers.statements import is_ordered
from tasks.comparing.brackets import Conclusion
from tasks.comparing.cases import Case
from tasks.comparing.inquiries import Inquiry
from tasks.comparing.questions import Kind
from tasks.comparing.read_errors import ReadError
from tasks.comparing.readings import Reading
from tasks.comparing.results import Result
from tasks.comparing.servers import Server

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 0.5
_USUAL_LAG_SECONDS = 0.3
_MOST_CONFLICTS = 5
_MOST_CONNECTIONS = 4
"""To each server, for one batch."""

_PASSING = frozenset({ShadowCause.UNREACHABLE, ShadowCause.CONFLICT})
"""Errors after which the same may work on another connection."""

_HARMLESS = frozenset({ShadowCause.CONFLICT})
"""Errors that say nothing of the statement or the server, only that this was not the moment."""


def compare_reads(cluster: str, replica: str, reads: Iterable[ShadowRead]) -> Iterator[tuple[ShadowRead, Result]]:
    """Compare reads of a cluster, which its primary's alias names, with this replica. Yields each with its result.

    A connection that breaks, as one does when a standby ends what is in its way, says nothing of the other reads: they
    are compared on new ones.
    """
    left, failures = list(reads), Counter[int]()
    failure: ReadError | None = None
    for _ in range(_MOST_CONNECTIONS):
        comparison: Comparison | None = None
        try:
            with Server(cluster) as primary, Server(replica) as other:
                if other.kind is Kind.PRIMARY:
                    refusal = Result(Outcome.INCONCLUSIVE, ShadowCause.UNFIT_REPLICA, replica)
                    yield from ((read, refusal) for read in left)
                    return
                comparison = Comparison(primary, other)
                for read, result in comparison.run(tuple(left)):
                    left.remove(read)
                    yield read, replace(result, replica=replica)
                return
        except ReadError as error:
            failure = error
        # It may be the one for which the server hung up: others come first now, and it fails alone the next time.
        if comparison is not None and (suspect := comparison.current) in left:
            left.remove(suspect)
            failures[suspect.pk] += 1
            if failures[suspect.pk] > 1:
                yield suspect, replace(_failed(failure), replica=replica)
            else:
                left.append(suspect)
    if failure is not None:
        yield from ((read, replace(_failed(failure), replica=replica)) for read in left)


@dataclass(slots=True)
class Comparison:
    """Two servers, and how to wait between brackets. clock: in seconds. dice: returns a number from 0 to below 1.

    current: the read that was looked at last.
    """

    primary: Server
    replica: Server
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    dice: Callable[[], float] = random.random
    current: ShadowRead | None = None
    _seen: list[tuple[float, int]] = field(default_factory=list)

    def run(self, reads: Iterable[ShadowRead]) -> Iterator[tuple[ShadowRead, Result]]:
        """Look at each read on both servers, then go on with those that differ until it is known why.

        Raises `ReadError` when a connection breaks; what was not yielded by then can be compared anew.
        """
        undecided: list[Case] = []
        inquiry = Inquiry(self.primary, self.replica)
        for read in reads:
            looked = self._look(read, inquiry)
            if isinstance(looked, Result):
                yield read, looked
                self._check()
            else:
                undecided.append(looked)
        # The replica reaches what the primary has shown in this order.
        undecided.sort(key=lambda case: case.primary.position)
        pause = _FIRST_PAUSE_SECONDS
        while undecided:
            left = []
            for case in undecided:
                result = self._go_on(case, inquiry)
                if result is not None:
                    yield case.read, result
                    self._check()
                else:
                    left.append(case)
            undecided = left
            if undecided:
                # Never in step with what writes at regular times.
                self.sleep(pause * (0.5 + self.dice()))
                pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)

    def _check(self) -> None:
        for server in (self.primary, self.replica):
            if server.is_broken:
                raise ReadError(server.alias, ShadowCause.UNREACHABLE, "the connection is broken")

    def _look(self, read: ShadowRead, inquiry: Inquiry) -> Case | Result:
        """Read both servers for the first time. Returns the result if there is one already."""
        self.current = read
        try:
            statement = open_statement(bytes(read.sealed or b""))
        except SealError as error:
            return Result(Outcome.ERROR, ShadowCause.UNREADABLE, details={"error": str(error)})
        try:
            if refusal := inquiry.refusal(read.fingerprint, statement.query):
                return refusal
            primary = self.primary.read(statement)
            replica = self._read_replica(statement)
        except ReadError as error:
            if error.cause in _PASSING:
                raise
            return _failed(error)
        case = Case(read, statement, is_ordered(statement.query), (primary, replica), primary, replica)
        if case.conclusion is Conclusion.EQUAL:
            case.agree()
        return case.result or case

    def _go_on(self, case: Case, inquiry: Inquiry) -> Result | None:
        """Take another bracket of a case, and return its result if it has one now."""
        self.current = case.read
        try:
            self._bracket(case)
            match case.conclusion:
                case Conclusion.EQUAL | Conclusion.CAUGHT_UP:
                    case.agree()
                case Conclusion.DIVERGENT:
                    inquiry.explain_difference(case)
                case Conclusion.MOVED:
                    inquiry.explain_movement(case)
        except ReadError as error:
            if error.cause is ShadowCause.UNREACHABLE:
                raise
            case.conflicts += 1
            if error.cause not in _HARMLESS or case.conflicts > _MOST_CONFLICTS:
                return _failed(error)
        return case.result

    def _bracket(self, case: Case) -> None:
        """Read the replica once it shows what the primary did, and the primary again."""
        shown = case.primary
        reached_at = self._reaches(shown.position, shown.at + get_settings().shadow_wait_seconds)
        if reached_at is None:
            case.end(Outcome.INCONCLUSIVE, ShadowCause.BEHIND)
            return
        if case.caught_up_at is None:
            case.caught_up_at = reached_at
        replica = self._read_replica(case.statement)
        case.add_bracket(replica, self.primary.read(case.statement))

    def _reaches(self, position: int, until: float) -> float | None:
        """Return when the replica was first seen to have replayed a position, waiting for it; None if it has not.

        Other reads of the batch have asked it meanwhile, so that the time is known to about one reading.
        """
        seen_at = next((at for at, seen in self._seen if seen >= position), None)
        if seen_at is not None:
            return seen_at
        reached_at = self.replica.wait_for(position, min(until, self.clock() + _USUAL_LAG_SECONDS))
        if reached_at is None:
            # An idle primary may stand where no replica gets to.
            self.primary.write_out()
            reached_at = self.replica.wait_for(position, until)
        if reached_at is not None:
            self._seen.append((reached_at, position))
        return reached_at

    def _read_replica(self, statement: CapturedStatement) -> Reading:
        reading = self.replica.read(statement)
        self._seen.append((reading.at, reading.position))
        return reading


def _failed(error: ReadError) -> Result:
    """Return the result of a read that a server did not answer."""
    is_harmless = error.cause in _HARMLESS
    outcome = Outcome.INCONCLUSIVE if is_harmless else Outcome.ERROR
    return Result(outcome, error.cause, details={"error": error.words})
