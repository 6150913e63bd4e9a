"""Outcomes, causes and measures of shadow reads as the pages write them. Pure."""

from datetime import datetime

from django.utils import timezone
from django.utils.text import capfirst

from rollout.outcomes import Outcome
from tasks.reporting.findings import cause_words
from tasks.reporting.words import milliseconds

_OUTCOMES = {
    Outcome.EQUAL: "equal",
    Outcome.CAUGHT_UP: "caught up",
    Outcome.DIVERGENT: "divergent",
    Outcome.INCONCLUSIVE: "inconclusive",
    Outcome.ERROR: "error",
}


def outcome_words(outcome: str) -> str:
    """Say an outcome in a word or two. One that this release does not know is said by its code."""
    return _OUTCOMES[Outcome(outcome)] if outcome in Outcome.values else outcome


def outcome_label(outcome: str) -> str:
    """Say an outcome in full."""
    return str(Outcome(outcome).label) if outcome in Outcome.values else outcome


def cause_label(cause: str) -> str:
    """Say a cause at the beginning of a sentence; nothing where there is none to name."""
    return capfirst(cause_words(cause)) if cause else ""


def needs_look(outcome: str) -> bool:
    """Say whether somebody may have to look at a read that ended so."""
    return outcome in Outcome.values and Outcome(outcome).needs_look


def took(value: float | None) -> str:
    """Write how long something took, given in milliseconds; nothing where that is not known."""
    return "" if value is None else milliseconds(value)


def moment(at: datetime | None) -> str:
    """Write when something was in the active time zone, with seconds: 2026-11-25 03:15:30."""
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
