"""The rules as the dashboard lists them, with the buttons that this user may press."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from admin_ui.overview.plans import PlanLine
from admin_ui.overview.shadows import ShadowLine
from admin_ui.permissions import Powers
from rollout import exposure
from rollout.contracts import Contract, Freshness
from rollout.exposure import Exposure
from rollout.gates import EVERYBODY, NOBODY
from rollout.models import GateKind, Mode, RoutingRule
from rollout.policy import Policy, Rule


@dataclass(frozen=True, slots=True)
class ModeChoice:
    """One mode of a rule: the one it is in, or a button, or neither when the user may not go there."""

    value: str
    is_current: bool
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class GateView:
    """A rule's gate. `share` is None when the gate does not exist; `sharers` are the other rules that use it."""

    kind: str
    name: str
    share: Exposure | None
    sharers: int
    takes_percent: bool

    @property
    def is_missing(self) -> bool:
        return self.share is None

    @property
    def is_closed(self) -> bool:
        return self.share == Exposure(NOBODY)

    @property
    def percent(self) -> Decimal:
        return self.share.percent if self.share else NOBODY


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule on the dashboard.

    limit: the highest percentage that this user may ask for. shadow: None where nothing is captured or compared.
    plan: its rollout, None unless one is under way or ended lately. attention: why a person should look at it, if so.
    """

    pk: int
    target_kind: str
    target: str
    mode: str
    pool: str
    contract: Contract
    over_budget: str
    note: str
    share: Exposure
    gate: GateView | None
    modes: tuple[ModeChoice, ...]
    limit: Decimal
    shadow: ShadowLine | None
    plan: PlanLine | None
    attention: tuple[str, ...]

    @property
    def explanation(self) -> str:
        """What the share means, or why it is nothing."""
        if self.mode == Mode.PIN:
            return "pinned to the primary"
        if self.contract.freshness is Freshness.STRICT:
            return "kept on the primary by its contract"
        if self.gate is not None and self.gate.share is None:
            return "its gate does not exist"
        if self.mode == Mode.OBSERVE:
            return f"only observed, for {self.gate.share if self.gate else Exposure(EVERYBODY)}"
        return "of actors on replicas"


@dataclass(frozen=True, slots=True)
class Beside:
    """What is told of rules beside themselves, each by the rule's id."""

    shadows: Mapping[int, ShadowLine] = field(default_factory=dict)
    plans: Mapping[int, PlanLine] = field(default_factory=dict)
    attention: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def rule_rows(rules: Iterable[RoutingRule], policy: Policy, powers: Powers, beside: Beside) -> tuple[RuleRow, ...]:
    """Return one row for each of these rules that the policy knows."""
    users = Counter((rule.gate_kind, rule.gate_name) for rule in policy.rules)
    rows = []
    for rule in rules:
        compiled = policy.rule_of(rule.target_kind, rule.target)
        if compiled is not None:
            sharers = users[compiled.gate_kind, compiled.gate_name] - 1
            rows.append(_row(rule, compiled, sharers, powers, beside))
    return tuple(rows)


def _row(rule: RoutingRule, compiled: Rule, sharers: int, powers: Powers, beside: Beside) -> RuleRow:
    gate = None
    if compiled.gate_kind:
        gate = GateView(
            kind=compiled.gate_kind,
            name=compiled.gate_name,
            share=None if compiled.gate is None else exposure.of_gate(compiled.gate),
            sharers=sharers,
            takes_percent=compiled.gate_kind in {GateKind.FLAG, GateKind.SAMPLE},
        )
    return RuleRow(
        pk=rule.pk,
        target_kind=compiled.target_kind,
        target=compiled.target,
        mode=compiled.mode,
        pool=compiled.pool,
        contract=compiled.contract,
        over_budget=compiled.over_budget,
        note=rule.note,
        share=exposure.of_rule(compiled),
        gate=gate,
        modes=tuple(_choices(compiled, powers)),
        limit=EVERYBODY if powers.may_raise or gate is None else gate.percent,
        shadow=beside.shadows.get(rule.pk),
        plan=beside.plans.get(rule.pk),
        attention=beside.attention.get(rule.pk, ()),
    )


def _choices(rule: Rule, powers: Powers) -> Iterable[ModeChoice]:
    before = exposure.of_rule(rule)
    for mode in Mode.values:
        raises = exposure.of_rule(replace(rule, mode=mode)).exceeds(before)
        yield ModeChoice(
            value=mode,
            is_current=mode == rule.mode,
            is_allowed=powers.may_raise or (powers.may_lower and not raises),
        )
