"""What guardrails say of a rollout, and what all of them together decide. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rollout.guardrails import Metric


class Finding(StrEnum):
    """What comes of a look. The values are stored and shown, so they keep their meaning."""

    PASS = "pass"  # noqa: S105 - no secret
    HOLD = "hold"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one guardrail says, with the reason in words. In trial it only says what it would have done."""

    metric: Metric
    finding: Finding
    reason: str
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the rollout, and the reasons that led to it. What guardrails in trial say is kept beside it."""

    finding: Finding
    reasons: tuple[str, ...]
    trials: tuple[Verdict, ...] = ()


def decide(verdicts: Iterable[Verdict]) -> Decision:
    """Return what becomes of the rollout: a single failure takes it back, and it goes on only if everything passes.

    Guardrails in trial have no say. Without any that has, it holds: nothing speaks for going on.
    """
    verdicts = tuple(verdicts)
    trials = tuple(verdict for verdict in verdicts if verdict.trial)
    for finding in (Finding.FAIL, Finding.HOLD, Finding.PASS):
        reasons = tuple(each.reason for each in verdicts if each.finding is finding and not each.trial)
        if reasons:
            return Decision(finding, reasons, trials)
    return Decision(Finding.HOLD, ("No guardrail has a say: all are in trial, or there is none.",), trials)
