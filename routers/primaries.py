"""How a primary stands: whether it answers, and whether it still is one. Pure."""

import math
from dataclasses import dataclass
from enum import StrEnum

from routers.health import Finding
from routers.positions import Position


class Condition(StrEnum):
    """What is said about a primary. DEMOTED: its alias leads to a standby, so that writes fail."""

    UNKNOWN = "unknown"
    SERVING = "serving"
    UNREACHABLE = "unreachable"
    UNRESPONSIVE = "unresponsive"
    DEMOTED = "demoted"

    @property
    def words(self) -> str:
        """What it means, for a person."""
        return _WORDS[self]


_WORDS = {
    Condition.UNKNOWN: "has not been asked yet",
    Condition.SERVING: "serves reads and writes",
    Condition.UNREACHABLE: "refuses connections or broke them: writes fail, and reads that may go on from replicas",
    Condition.UNRESPONSIVE: "does not answer: writes hang or fail, and reads that may go on from replicas",
    Condition.DEMOTED: "is a standby: after a failover, let the alias lead to the server that was promoted",
}


@dataclass(frozen=True, slots=True)
class PrimaryStanding:
    """condition, and since when; seen_at: the last answer; both on the monotonic clock. detail: the last error.

    position: where it last said that it stands.
    moved: what a failover changed since this process began, in words, or empty.
    """

    condition: Condition = Condition.UNKNOWN
    since: float = -math.inf
    seen_at: float = -math.inf
    detail: str = ""
    position: Position | None = None
    moved: str = ""

    @property
    def is_down(self) -> bool:
        """Whether it is known not to answer, so that nothing can be read there nor written anywhere."""
        return self.condition in {Condition.UNREACHABLE, Condition.UNRESPONSIVE}


def judge_primary(before: PrimaryStanding, finding: Finding, longest_silence: float) -> PrimaryStanding:
    """Return how a primary stands after a finding. One question that goes unanswered means nothing yet."""
    condition = _condition(before, finding, longest_silence)
    return PrimaryStanding(
        condition=condition,
        since=before.since if condition is before.condition else finding.at,
        seen_at=finding.at if finding.position is not None else before.seen_at,
        detail=finding.error,
        position=finding.position or before.position,
        moved=_move(before.position, finding.position) or before.moved,
    )


def _condition(before: PrimaryStanding, finding: Finding, longest_silence: float) -> Condition:
    if finding.position is not None:
        return Condition.DEMOTED if finding.is_standby else Condition.SERVING
    if not finding.is_silent:
        return Condition.UNREACHABLE
    return Condition.UNRESPONSIVE if finding.silence_since(before.seen_at) > longest_silence else before.condition


def _move(before: Position | None, now: Position | None) -> str:
    if before is None or now is None or before.is_comparable(now):
        return ""
    if before.system != now.system:
        return f"it belongs to another cluster: its system identifier was {before.system} and is {now.system}"
    return f"it is on timeline {now.timeline}, was on {before.timeline}"
