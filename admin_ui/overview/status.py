"""The strip at the top: healthy, or what is wrong, in words. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from admin_ui.replicas.board import Board
from rollout.models import Mode
from rollout.options import Settings
from rollout.policy import KILL_SWITCH, Policy
from rollout.reasons import Reason

TROUBLE = (Reason.ROUTER_ERROR, Reason.POLICY_STALE)
"""Reasons that should never occur, so that a single read with one of them is worth a look."""

MOST_FAULTS = 10
"""As many are told; a page of five hundred rules can have as many, and nobody reads that."""

FIRST_STEP = (
    "Add a rule for one busy endpoint in mode observe: it counts what a replica would have served, and moves nothing."
)


class Level(StrEnum):
    """How urgent it is. The value names the CSS class."""

    HEALTHY = "healthy"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def word(self) -> str:
        return {"healthy": "Healthy", "notice": "Next step", "warning": "Attention", "critical": "Routing is off"}[self]


@dataclass(frozen=True, slots=True)
class Status:
    """What the strip says."""

    level: Level
    headline: str
    details: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A short name for the wording, which tells whether it has changed."""
        words = "\0".join((self.level, self.headline, *self.details))
        return blake2b(words.encode(), digest_size=8).hexdigest()


def assess(settings: Settings, policy: Policy, problems: Sequence[str], reasons: Iterable[str], board: Board) -> Status:
    """Say how things stand.

    problems: what is wrong with rules, rollouts and processes, and what shadow reads found wrong, the gravest first.
    reasons: codes that kept reads on the primary. board: the replicas as the process that serves the page sees them.
    """
    problems = tuple(dict.fromkeys((*policy.problems, *problems)))
    if not settings.enabled:
        return Status(
            Level.CRITICAL,
            "Every read goes to the primary: routing is switched off in the settings.",
            ('Set READSHIFT["ENABLED"] to True and restart to let the rules decide.', *_told(problems)),
        )
    if not policy.enabled:
        return Status(
            Level.CRITICAL,
            "Every read goes to the primary.",
            _told(problems) or (f"The kill switch, which is the waffle switch “{KILL_SWITCH}”, is off.",),
        )
    found = {code for code in TROUBLE if code in set(reasons)}
    troubles = tuple(
        f"Some recent reads went to the primary for this reason: {code.label}. The log named “readshift” says more."
        for code in TROUBLE
        if code in found
    )
    faults = (*troubles, *board.problems, *problems)
    if faults:
        count = len(faults)
        return Status(
            Level.WARNING,
            "Reads are served, but one thing needs attention."
            if count == 1
            else f"Reads are served, but {count} things need attention.",
            (*_told(faults), *board.notes),
        )
    if not policy.rules:
        headline = "There is no rule yet, so every read goes to the primary."
        return Status(Level.NOTICE, headline, (FIRST_STEP, *board.notes))
    modes = [rule.mode for rule in policy.rules]
    number = "1 rule" if len(modes) == 1 else f"{len(modes)} rules"
    counts = ", ".join(f"{modes.count(mode)} in mode {mode}" for mode in reversed(Mode.values))
    return Status(Level.HEALTHY, "Routing is on and nothing is wrong.", (f"{number}: {counts}.", *board.notes))


def _told(faults: tuple[str, ...]) -> tuple[str, ...]:
    left = len(faults) - MOST_FAULTS
    if left <= 0:
        return faults
    return (*faults[:MOST_FAULTS], f"{left} more. The rules below that need attention come first, and say why.")
