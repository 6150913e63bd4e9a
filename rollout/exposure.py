"""How many actors a gate lets through, and whether a change lets more of them through. Pure."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError

from rollout.bucketing import BUCKETS
from rollout.gates import EVERYBODY, NOBODY, FlagGate, Gate, SampleGate, SwitchGate
from rollout.models.rule import Mode
from rollout.policy import Rule

_NUMBER = re.compile(r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+))\s*%?", re.ASCII)
FINEST_STEP = Decimal("0.1")
"""Waffle stores percentages with one decimal place."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a gate opens for. percent: the share of actors, 0 to 100. targeted: also for chosen users or languages."""

    percent: Decimal
    targeted: bool = False

    def exceeds(self, other: "Exposure") -> bool:
        """Say whether anybody is let through here who is not let through there."""
        return self.percent > other.percent or (self.targeted and not other.targeted and other.percent < EVERYBODY)

    def __str__(self) -> str:
        share = f"{self.percent.normalize():f} %"
        return f"{share} and chosen users" if self.targeted and self.percent < EVERYBODY else share


@dataclass(frozen=True, slots=True)
class Change:
    """One step an operator asks for, in words, with what it does to exposure."""

    summary: str
    before: Exposure
    after: Exposure

    @property
    def raises_exposure(self) -> bool:
        return self.after.exceeds(self.before)


def of_gate(gate: Gate | None) -> Exposure:
    """Return what a compiled gate opens for; a missing one opens for nobody."""
    match gate:
        case FlagGate(everyone=None):
            return Exposure(_percent(gate.threshold), gate.is_targeted)
        case FlagGate(everyone=is_open) | SwitchGate(active=is_open):
            return Exposure(EVERYBODY if is_open else NOBODY)
        case SampleGate():
            return Exposure(_percent(gate.threshold))
    return Exposure(NOBODY)


def of_rule(rule: Rule) -> Exposure:
    """Return how much of its target a compiled rule sends to replicas."""
    return routed(rule.mode, of_gate(rule.gate) if rule.gate_kind else Exposure(EVERYBODY))


def routed(mode: str, gate: Exposure) -> Exposure:
    """Return what a rule in this mode makes of its gate's exposure: only routed reads reach a replica."""
    return gate if mode == Mode.ROUTE else Exposure(NOBODY)


def _percent(threshold: int) -> Decimal:
    return Decimal(threshold * 100) / BUCKETS


def parse_percent(text: str) -> Decimal:
    """Read a percentage that a person typed. Raises ValidationError unless it is 0 to 100 in steps of 0.1."""
    written = _NUMBER.fullmatch(text.strip())
    if written is None:
        raise ValidationError(f"“{text}” is no percentage. Write a number from 0 to 100, such as 2.5.")
    percent = Decimal(written[1].replace(",", "."))
    check_percent(percent)
    return percent


def check_percent(percent: Decimal) -> None:
    """Raise ValidationError unless waffle can hold the percentage: 0 to 100 in steps of 0.1."""
    if not percent.is_finite() or not NOBODY <= percent <= EVERYBODY:
        raise ValidationError(f"{percent} percent is outside 0 to 100. Nothing was changed.")
    if percent % FINEST_STEP:
        raise ValidationError(f"{percent} percent is finer than waffle stores. Use one decimal place at most.")
