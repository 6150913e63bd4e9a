"""How many actors a gate lets through, and whether a change lets more of them through. Pure."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError

from rollout.bucketing import BUCKETS, threshold
from rollout.models.rule import GateKind, Mode

NOBODY = Decimal(0)
EVERYBODY = Decimal(100)
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


def of_flag(
    everyone: bool | None,
    percent: Decimal | None,
    *,
    superusers: bool = False,
    staff: bool = False,
    authenticated: bool = False,
    languages: str = "",
    has_targets: bool = False,
) -> Exposure:
    """Return a flag's exposure. has_targets: it names users or groups, or its model has a rule of its own."""
    if everyone is not None:
        return Exposure(EVERYBODY if everyone else NOBODY)
    targeted = bool(superusers or staff or authenticated or languages.strip() or has_targets)
    return Exposure(share(percent), targeted)


def share(percent: Decimal | None) -> Decimal:
    """Return the share of actors that a stored percentage lets through, which is 0 for one outside 0 to 100."""
    return Decimal(threshold(percent) * 100) / BUCKETS


def of_rule(mode: str, gate_kind: str, gate: Exposure | None) -> Exposure:
    """Return a rule's exposure: only routed reads reach a replica, and a missing gate opens for nobody."""
    if mode != Mode.ROUTE:
        return Exposure(NOBODY)
    if gate_kind == GateKind.NONE:
        return Exposure(EVERYBODY)
    return gate or Exposure(NOBODY)


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
