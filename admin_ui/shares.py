"""How much of its target a compiled rule moves: the same answer as `rollout.operations`, without a query per rule."""

from decimal import Decimal

from rollout import exposure
from rollout.bucketing import BUCKETS
from rollout.exposure import Exposure
from rollout.gates import FlagGate, Gate, SampleGate, SwitchGate
from rollout.policy import Policy, Rule


def compiled_rules(policy: Policy) -> tuple[Rule, ...]:
    """Return every rule of a policy."""
    return (*policy.endpoint_rules.values(), *policy.model_rules.values())


def gate_share(gate: Gate | None) -> Exposure | None:
    """Return what a gate opens for, or None when there is no gate."""
    match gate:
        case FlagGate():
            return exposure.of_flag(
                gate.everyone,
                _percent(gate.threshold),
                superusers=gate.superusers,
                staff=gate.staff,
                authenticated=gate.authenticated,
                languages=",".join(gate.languages),
                has_targets=bool(gate.user_ids or gate.group_ids or gate.custom),
            )
        case SwitchGate():
            return Exposure(exposure.EVERYBODY if gate.active else exposure.NOBODY)
        case SampleGate():
            return Exposure(_percent(gate.threshold))
    return None


def rule_share(rule: Rule) -> Exposure:
    """Return how much of its target a rule sends to replicas."""
    return exposure.of_rule(rule.mode, rule.gate_kind, gate_share(rule.gate))


def _percent(threshold: int) -> Decimal:
    return Decimal(threshold) * 100 / BUCKETS
