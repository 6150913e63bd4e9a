"""How many actors are let through to replicas and how old their answers may be, and what a change does to it. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from django.core.exceptions import ValidationError

from rollout.bucketing import BUCKETS
from rollout.contracts import ANY, SESSION, Contract, Freshness
from rollout.gates import EVERYBODY, NOBODY, FlagGate, Gate, SampleGate, SwitchGate
from rollout.models.rule import Mode, OverBudget
from rollout.percent import check_percent
from rollout.policy import Rule

_NUMBER = re.compile(r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+))\s*%?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a gate opens for, or a rule sends to replicas.

    percent: the share of actors, 0 to 100.
    targeted: also for chosen users or languages.
    contract: how old what they read may be; SESSION for a gate, which says nothing of it.
    may_be_stale: whether a replica may answer over the fallback budget whatever the contract says.
    """

    percent: Decimal
    targeted: bool = False
    contract: Contract = SESSION
    may_be_stale: bool = False

    @property
    def loosest(self) -> Contract:
        """The contract that an answer keeps to at worst."""
        return ANY if self.may_be_stale else self.contract

    @property
    def is_nobody(self) -> bool:
        return self.percent == NOBODY and not self.targeted

    def reaches_beyond(self, other: "Exposure") -> bool:
        """Say whether anybody is let through here who is not let through there."""
        return self.percent > other.percent or (self.targeted and not other.targeted and other.percent < EVERYBODY)

    def is_looser_than(self, other: "Exposure") -> bool:
        """Say whether those who are let through here, if any, may be shown what they may not be shown there."""
        is_looser = self.contract.is_looser_than(other.contract) or self.loosest.is_looser_than(other.loosest)
        return not self.is_nobody and is_looser

    def exceeds(self, other: "Exposure") -> bool:
        """Say whether anybody may be shown anything from a replica here that they may not be shown there."""
        return self.reaches_beyond(other) or self.is_looser_than(other)

    def __str__(self) -> str:
        """Return the share alone."""
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

    @property
    def rise(self) -> str:
        """What goes up, in words that continue “this would”; empty when nothing does."""
        rises = []
        if self.after.reaches_beyond(self.before):
            rises.append(f"raise the share on replicas from {self.before} to {self.after}")
        if self.after.is_looser_than(self.before):
            rises += self._loosenings()
        return " and ".join(rises)

    def _loosenings(self) -> Iterator[str]:
        before, after = self.before, self.after
        if after.contract.is_looser_than(before.contract):
            yield f"loosen the freshness contract from {before.contract} to {after.contract}"
        if after.may_be_stale and after.loosest.is_looser_than(before.loosest):
            yield "let replicas that are too far behind, or lack what the actor wrote, answer over the fallback budget"


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
    """Return how much of its target a compiled rule sends to replicas, and how old the answers may be."""
    return routed(rule, of_gate(rule.gate) if rule.gate_kind else Exposure(EVERYBODY))


def routed(rule: Rule, gate: Exposure) -> Exposure:
    """Return what a rule makes of its gate's exposure: only reads that are routed and not strict reach a replica."""
    reaches_replicas = rule.mode == Mode.ROUTE and rule.contract.freshness is not Freshness.STRICT
    return replace(
        gate if reaches_replicas else Exposure(NOBODY),
        contract=rule.contract,
        may_be_stale=rule.over_budget == OverBudget.STALE,
    )


def held_back_by(rule: Rule, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return those of the rules of which this one may keep reads on the primary.

    A read that the rule for an endpoint and the rule for a model match goes to a replica only as far as both let it.
    So reads of these rules may leave the primary when this one is gone.
    """
    own = of_rule(rule)
    return tuple(
        other
        for other in rules
        if other.target_kind != rule.target_kind
        and not (others := of_rule(other)).is_nobody
        and replace(others, percent=EVERYBODY).exceeds(own)
    )


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
