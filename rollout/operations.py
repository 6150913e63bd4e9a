"""What an operator can do to rules, gates and the kill switch. Each saves through the ORM, so that it is announced."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import router, transaction
from waffle import get_waffle_switch_model

from rollout import exposure
from rollout.exposure import Change, Exposure
from rollout.loading import overrides_user_check
from rollout.models.rule import GateKind, Mode, RoutingRule, gate_model
from rollout.policy import KILL_SWITCH


@dataclass(frozen=True, slots=True)
class GateState:
    """A gate as the operator sees it. `exposure` is None when the gate does not exist."""

    kind: str
    name: str
    exposure: Exposure | None


def gate_state(kind: str, name: str) -> GateState:
    """Read a gate's exposure from the primary."""
    row = gate_model(kind)._default_manager.filter(name=name).first() if kind else None
    return GateState(kind, name, _gate_exposure(kind, row) if row else None)


def rule_exposure(rule: RoutingRule) -> Exposure:
    """Read how much of its target a rule sends to replicas."""
    return exposure.of_rule(rule.mode, rule.gate_kind, gate_state(rule.gate_kind, rule.gate_name).exposure)


def plan_mode(rule: RoutingRule, mode: str) -> Change:
    """Say what `set_mode` would do, without doing it. Raises ValidationError for an unknown mode."""
    if mode not in Mode.values:
        raise ValidationError(f"“{mode}” is no mode. Use one of {', '.join(Mode.values)}.")
    gate = gate_state(rule.gate_kind, rule.gate_name).exposure
    return Change(
        f"{rule}: from {rule.mode} to {mode}",
        before=exposure.of_rule(rule.mode, rule.gate_kind, gate),
        after=exposure.of_rule(mode, rule.gate_kind, gate),
    )


def set_mode(rule: RoutingRule, mode: str) -> Change:
    """Change a rule's mode, and nothing else of the row."""
    change = plan_mode(rule, mode)
    rule.mode = mode
    rule.save(update_fields=["mode", "modified"])
    return change


def plan_share(kind: str, name: str, percent: Decimal) -> Change:
    """Say what `set_share` would do, without doing it. Raises ValidationError when the gate cannot hold the share."""
    exposure.check_percent(percent)
    row = _existing_gate(kind, name)
    if kind == GateKind.SWITCH and percent not in {exposure.NOBODY, exposure.EVERYBODY}:
        raise ValidationError(f"The switch “{name}” is on or off. Use a flag for a percentage.")
    before = _gate_exposure(kind, row)
    _apply_share(kind, row, percent)
    return Change(f"{kind} {name}: from {before} to {percent.normalize():f} %", before, _gate_exposure(kind, row))


def set_share(kind: str, name: str, percent: Decimal) -> Change:
    """Let this percentage of actors through a gate, from 0 to 100.

    Waffle's percentage ends at 99.9, so 100 is stored as `everyone` yes. 0 is stored as `everyone` no, which also
    closes the gate for chosen users: rolled back means for everybody.
    """
    with transaction.atomic(_alias(kind)):
        # Locked first, so that the change tells what it replaced and not what another operator replaced meanwhile.
        row = _existing_gate(kind, name, lock=True)
        change = plan_share(kind, name, percent)
        _apply_share(kind, row, percent)
        row.save()
    return change


def plan_kill_switch(active: bool) -> Change:
    """Say what `set_kill_switch` would do, without doing it."""
    row = get_waffle_switch_model()._default_manager.filter(name=KILL_SWITCH).first()
    before = Exposure(exposure.EVERYBODY if row and row.active else exposure.NOBODY)
    after = Exposure(exposure.EVERYBODY if active else exposure.NOBODY)
    return Change(
        "kill switch on: rules decide" if active else "kill switch off: every read to the primary", before, after
    )


def set_kill_switch(active: bool) -> Change:
    """Let the rules decide, or send every read to the primary. Creates the switch when it is missing."""
    with transaction.atomic(_alias(GateKind.SWITCH)):
        manager = get_waffle_switch_model()._default_manager
        row, _ = manager.select_for_update().get_or_create(name=KILL_SWITCH, defaults={"active": False})
        change = plan_kill_switch(active)
        row.active = active
        row.save()
    return change


def create_flag(name: str) -> None:
    """Create a closed flag for a new rule. Raises ValidationError when the name is taken.

    Waffle opens new flags for superusers; ours open for nobody until somebody says so.
    """
    row = gate_model(GateKind.FLAG)(name=name, everyone=False, superusers=False, note="Created for a routing rule.")
    row.full_clean()
    row.save()


def _alias(kind: str) -> str | None:
    """Return the database that gates of this kind are written to, which is not always called `default`."""
    return router.db_for_write(gate_model(kind)) if kind else None


def _existing_gate(kind: str, name: str, *, lock: bool = False) -> Any:
    if kind not in {GateKind.FLAG, GateKind.SWITCH, GateKind.SAMPLE}:
        raise ValidationError("The rule has no gate, so it has no percentage. Give it a flag, or change its mode.")
    rows = gate_model(kind)._default_manager.filter(name=name)
    row = (rows.select_for_update() if lock else rows).first()
    if row is None:
        raise ValidationError(f"Waffle has no {kind} named “{name}”. Create it first, or choose another gate.")
    return row


def _apply_share(kind: str, row: Any, percent: Decimal) -> None:
    if kind == GateKind.SWITCH:
        row.active = percent == exposure.EVERYBODY
    elif kind == GateKind.SAMPLE:
        row.percent = percent
    elif percent in {exposure.NOBODY, exposure.EVERYBODY}:
        row.everyone = percent == exposure.EVERYBODY
    else:
        row.everyone = None
        row.percent = percent


def _gate_exposure(kind: str, row: Any) -> Exposure:
    if kind == GateKind.SWITCH:
        return Exposure(exposure.EVERYBODY if row.active else exposure.NOBODY)
    if kind == GateKind.SAMPLE:
        return Exposure(exposure.share(row.percent))
    return exposure.of_flag(
        row.everyone,
        row.percent,
        superusers=row.superusers,
        staff=row.staff,
        authenticated=row.authenticated,
        languages=row.languages,
        has_targets=_has_targets(row),
    )


def _has_targets(flag: Any) -> bool:
    relations = {field.name for field in flag._meta.many_to_many}
    return overrides_user_check(type(flag)) or any(
        getattr(flag, name).exists() for name in ("users", "groups") if name in relations
    )
