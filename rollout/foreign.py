"""What others did to the flag or rule of a plan, which then steps aside. Pure."""

from dataclasses import dataclass
from typing import Any

from rollout.exposure import of_gate
from rollout.gates import FlagGate, Gate
from rollout.models.plan import RolloutPlan
from rollout.models.rule import GateKind, Mode


@dataclass(frozen=True, slots=True)
class ForeignChange:
    """Something that is not as the plan left it.

    reason: what the plan expects and what it found, in words. takes_back: whether the flag lets nobody through any
    more: somebody has rolled the plan back by hand.
    """

    reason: str
    takes_back: bool = False


def targets_of(gate: FlagGate) -> dict[str, Any]:
    """Return whom a flag is open for besides a percentage, as JSON can hold it."""
    return {
        "superusers": gate.superusers,
        "staff": gate.staff,
        "authenticated": gate.authenticated,
        "languages": sorted(gate.languages),
        "users": sorted(map(str, gate.user_ids)),
        "groups": sorted(map(str, gate.group_ids)),
    }


def notice_foreign_change(plan: RolloutPlan, gate: Gate | None) -> ForeignChange | None:
    """Return what somebody else has changed about a live plan, or None.

    gate: the plan's flag as it is now, None if there is none. Targets do not count while the flag is open for everyone.
    """
    rule, name = plan.rule, plan.gate_name
    if (rule.gate_kind, rule.gate_name) != (GateKind.FLAG, name):
        found = f"the {rule.gate_kind} “{rule.gate_name}”" if rule.gate_kind else "no gate"
        return ForeignChange(f"The rule for {rule} has {found} now, and the plan moves the flag “{name}”.")
    if not isinstance(gate, FlagGate):
        return ForeignChange(f"The flag “{name}” is gone. Create it again, at {_percent(plan)}, to go on.")
    if of_gate(gate).is_nobody:
        return ForeignChange(
            f"Somebody has taken it back: the flag “{name}” lets nobody through, and the plan had set it to "
            f"{_percent(plan)}.",
            takes_back=True,
        )
    if rule.mode != Mode.ROUTE:
        return ForeignChange(f"The rule for {rule} is set to {rule.mode}, and the plan expects {Mode.ROUTE.value}.")
    if gate.at(plan.expected_percent) != gate:
        return ForeignChange(
            f"Somebody has changed the flag “{name}”: it is at {of_gate(gate)}, and the plan had set it to "
            f"{_percent(plan)}."
        )
    return _other_targets(plan, gate)


def _other_targets(plan: RolloutPlan, gate: FlagGate) -> ForeignChange | None:
    found = targets_of(gate)
    changed = [key for key, value in found.items() if plan.expected_targets.get(key) != value]
    if gate.everyone is not None or not changed:
        return None
    differences = "; ".join(
        f"{key}: {_told(found[key])} instead of {_told(plan.expected_targets.get(key))}" for key in changed
    )
    return ForeignChange(
        f"Somebody has changed whom the flag “{plan.gate_name}” is open for besides its {_percent(plan)}: "
        f"{differences}."
    )


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "yes" if value else "no"


def _percent(plan: RolloutPlan) -> str:
    return f"{plan.expected_percent.normalize():f} %"
