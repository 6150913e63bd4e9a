"""How the readings of one statement are judged: pure, on marks that stand for answers.

A reading of the primary, one of the replica after it has replayed what that one shows, and another of the primary make
a bracket. Where the primary gave the same answer before and after, and the replica another one, the answers differ at
that position, unless the primary's answer changed and changed back in between. Only brackets that agree with one
another rule that out, so that `divergent` means proven.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum

PROOF_BRACKETS = 6
"""How many in a row must say that the replica differs, the primary giving one and the same answer in all.

A row that a healthy primary switches between two values at random passes one bracket in four as a difference, and six
with one and the same answer in about one of 130,000 cases."""

MOST_BRACKETS = 14
"""After how many brackets nothing more is expected of a statement whose answer keeps changing."""

Mark = Hashable
"""Stands for an answer: equal if and only if the answers are."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What the two servers showed at first, the replica not having been waited for.

    is_behind: whether the replica had not replayed yet what the primary showed.
    """

    primary: Mark
    replica: Mark
    is_behind: bool


@dataclass(frozen=True, slots=True)
class Bracket:
    """before and after: the primary's answers. replica: the answer of the replica, which had reached the first."""

    before: Mark
    replica: Mark
    after: Mark

    @property
    def agrees(self) -> bool:
        return self.replica in {self.before, self.after}

    @property
    def is_still(self) -> bool:
        """Whether the primary gave one answer."""
        return self.before == self.after


class Conclusion(Enum):
    """What the readings say. UNDECIDED: another bracket is needed."""

    EQUAL = "equal"
    CAUGHT_UP = "caught_up"
    DIVERGENT = "divergent"
    MOVED = "moved"
    UNDECIDED = "undecided"


def judge(first: FirstLook, brackets: Sequence[Bracket]) -> Conclusion:
    """Return what the first look and the brackets since then say, the latest last."""
    if first.primary == first.replica:
        return Conclusion.EQUAL
    if brackets and brackets[-1].agrees:
        return Conclusion.CAUGHT_UP if first.is_behind else Conclusion.EQUAL
    if _is_proven(brackets[-PROOF_BRACKETS:]):
        return Conclusion.DIVERGENT
    return Conclusion.MOVED if len(brackets) >= MOST_BRACKETS else Conclusion.UNDECIDED


def _is_proven(brackets: Sequence[Bracket]) -> bool:
    is_complete = len(brackets) == PROOF_BRACKETS and all(each.is_still and not each.agrees for each in brackets)
    return is_complete and len({each.before for each in brackets}) == 1
