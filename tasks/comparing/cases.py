"""One read under comparison: what its readings have shown so far, and how it ended."""

from dataclasses import dataclass, field
from typing import Any

from rollout.models import ShadowRead
from rollout.outcomes import Outcome, ShadowCause
from routers.captured import CapturedStatement
from tasks.comparing.answers import FIRST_OWN_TYPE, Answer
from tasks.comparing.brackets import Bracket, Conclusion, FirstLook, Mark, judge
from tasks.comparing.readings import Reading
from tasks.comparing.results import Result


@dataclass(slots=True)
class Case:
    """is_ordered: whether the order of the rows is part of the answer.

    opening: the first readings, of the primary and of the replica, which was not waited for. primary, replica: the
    latest. caught_up_at: when the replica was seen to have replayed what the primary had shown first, on the monotonic
    clock. result: None until it is known how it ended.
    """

    read: ShadowRead
    statement: CapturedStatement
    is_ordered: bool
    opening: tuple[Reading, Reading]
    primary: Reading
    replica: Reading
    brackets: list[Bracket] = field(default_factory=list)
    conflicts: int = 0
    caught_up_at: float | None = None
    result: Result | None = None

    @property
    def conclusion(self) -> Conclusion:
        primary, replica = self.opening
        first = FirstLook(
            mark(primary.answer, self.is_ordered),
            mark(replica.answer, self.is_ordered),
            is_behind=replica.position < primary.position,
        )
        return judge(first, self.brackets)

    def add_bracket(self, replica: Reading, after: Reading) -> None:
        """Take another bracket into account. It began with the latest reading of the primary."""
        answers = (self.primary.answer, replica.answer, after.answer)
        self.brackets.append(Bracket(*(mark(answer, self.is_ordered) for answer in answers)))
        self.primary, self.replica = after, replica

    def agree(self) -> None:
        """End it as equal: at once, after the servers had raced, or when the replica had caught up."""
        asked_at = self.opening[0].at
        if self.conclusion is Conclusion.CAUGHT_UP and self.caught_up_at is not None:
            self.end(Outcome.CAUGHT_UP, staleness_ms=max(0.0, self.caught_up_at - asked_at) * 1000)
        else:
            self.end(Outcome.EQUAL)

    def end(
        self,
        outcome: Outcome,
        cause: ShadowCause | None = None,
        *,
        staleness_ms: float | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Settle how it ended."""
        primary, replica = self.opening
        positions = {"primary": self.primary.position, "replica": self.replica.position}
        self.result = Result(
            outcome,
            cause,
            staleness_ms=staleness_ms,
            primary_ms=primary.answer.took_ms,
            replica_ms=replica.answer.took_ms,
            rows=primary.answer.count,
            details={"positions": positions, "brackets": len(self.brackets), **(details or {})},
        )


def mark(answer: Answer, is_ordered: bool) -> Mark:
    """Return what stands for an answer: equal if the answers are."""
    columns = tuple((column.name, column.type if column.type < FIRST_OWN_TYPE else 0) for column in answer.columns)
    return (columns, answer.count, answer.in_order if is_ordered else answer.buckets)
