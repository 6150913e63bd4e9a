"""What an operator can do to rules, gates, the kill switch and replicas.

Each saves through the ORM, so that it is announced.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import router, transaction
from waffle import get_waffle_switch_model

from rollout import exposure
from rollout.exposure import Change, Exposure
from rollout.gates import EVERYBODY, NOBODY
from rollout.loading import load_gate, load_rule
from rollout.models.drain import DrainedReplica
from rollout.models.rule import GateKind, Mode, RoutingRule, gate_model
from rollout.percent import check_percent
from rollout.policy import KILL_SWITCH
from rollout.saving import save_gate


def plan_mode(rule: RoutingRule, mode: str) -> Change:
    """Say what `set_mode` would do, without doing it. Raises ValidationError for an unknown mode."""
    if mode not in Mode.values:
        raise ValidationError(f"“{mode}” is no mode. Use one of {', '.join(Mode.values)}.")
    compiled = load_rule(rule, router.db_for_write(RoutingRule))
    return Change(
        f"{rule}: from {rule.mode} to {mode}",
        before=exposure.of_rule(compiled),
        after=exposure.of_rule(replace(compiled, mode=mode)),
    )


def set_mode(rule: RoutingRule, mode: str) -> Change:
    """Change a rule's mode, and nothing else of the row."""
    change = plan_mode(rule, mode)
    rule.mode = mode
    rule.save(update_fields=["mode", "modified"])
    return change


def plan_share(kind: str, name: str, percent: Decimal) -> Change:
    """Say what `set_share` would do, without doing it. Raises ValidationError when the gate cannot hold the share."""
    check_percent(percent)
    if not kind:
        raise ValidationError("The rule has no gate, so it has no percentage. Give it a flag, or change its mode.")
    gate = load_gate(kind, name, _alias(kind))
    if gate is None:
        raise ValidationError(f"Waffle has no {kind} named “{name}”. Create it first, or choose another gate.")
    if kind == GateKind.SWITCH and percent not in {NOBODY, EVERYBODY}:
        raise ValidationError(f"The switch “{name}” is on or off. Use a flag for a percentage.")
    before, after = exposure.of_gate(gate), exposure.of_gate(gate.at(percent))
    return Change(f"{kind} {name}: from {before} to {percent.normalize():f} %", before, after)


def set_share(kind: str, name: str, percent: Decimal) -> Change:
    """Let this percentage of actors through a gate, from 0 to 100.

    Waffle's percentage ends at 99.9, so 100 is stored as `everyone` yes. 0 is stored as `everyone` no, which also
    closes the gate for chosen users: rolled back means for everybody.
    """
    if not kind:
        return plan_share(kind, name, percent)
    with transaction.atomic(_alias(kind)):
        # Locked first, so that the change tells what it replaced and not what another operator replaced meanwhile.
        row = gate_model(kind)._default_manager.select_for_update().filter(name=name).first()
        change = plan_share(kind, name, percent)
        store_share(kind, row, percent)
    return change


def store_share(kind: str, row: Any, percent: Decimal) -> None:
    """Save what `Gate.at` means, in the columns of this row of waffle's, which the caller has locked."""
    if kind == GateKind.SWITCH:
        row.active = percent == EVERYBODY
    elif kind == GateKind.SAMPLE:
        row.percent = percent
    elif percent in {NOBODY, EVERYBODY}:
        row.everyone = percent == EVERYBODY
    else:
        row.everyone = None
        row.percent = percent
    save_gate(row)


def plan_kill_switch(active: bool) -> Change:
    """Say what `set_kill_switch` would do, without doing it."""
    row = get_waffle_switch_model()._default_manager.filter(name=KILL_SWITCH).first()
    before = Exposure(EVERYBODY if row and row.active else NOBODY)
    after = Exposure(EVERYBODY if active else NOBODY)
    return Change(
        "kill switch on: rules decide" if active else "kill switch off: every read to the primary", before, after
    )


def set_kill_switch(active: bool) -> Change:
    """Let the rules decide, or send every read to the primary. Creates the switch when it is missing."""
    with transaction.atomic(_alias(GateKind.SWITCH)):
        manager = get_waffle_switch_model()._default_manager
        if not manager.filter(name=KILL_SWITCH).exists():
            # A missing switch stops all reads as well, so this changes nothing. Two may create it at the same time.
            manager.bulk_create([manager.model(name=KILL_SWITCH, active=False)], ignore_conflicts=True)
        row = manager.select_for_update().get(name=KILL_SWITCH)
        change = plan_kill_switch(active)
        row.active = active
        save_gate(row)
    return change


def plan_drain(alias: str, using: str, reason: str = "") -> Change:
    """Say what `drain` would do, without doing it. Raises ValidationError for an alias that is no replica."""
    DrainedReplica(alias=alias).clean()
    why = f" (“{reason}”)" if reason else ""
    return Change(f"replica {alias} drained{why}: it serves no reads", _serving(alias, using), Exposure(NOBODY))


def drain(alias: str, by: str, reason: str, using: str) -> Change:
    """Take a replica out of service in all processes, until `undrain`. One that is drained already stays as it is."""
    change = plan_drain(alias, using, reason)
    DrainedReplica.objects.using(using).get_or_create(alias=alias, defaults={"drained_by": by, "reason": reason})
    return change


def plan_undrain(alias: str, using: str) -> Change:
    """Say what `undrain` would do, without doing it."""
    return Change(f"replica {alias} serves reads again", _serving(alias, using), Exposure(EVERYBODY))


def undrain(alias: str, using: str) -> Change:
    """Let a drained replica serve again. Does nothing to one that is not drained; it need not be a replica any more."""
    change = plan_undrain(alias, using)
    DrainedReplica.objects.using(using).filter(alias=alias).delete()
    return change


def _serving(alias: str, using: str) -> Exposure:
    is_drained = DrainedReplica.objects.using(using).filter(alias=alias).exists()
    return Exposure(NOBODY if is_drained else EVERYBODY)


def create_flag(name: str) -> None:
    """Create a closed flag for a new rule. Raises ValidationError when the name is taken.

    Waffle opens new flags for superusers; ours open for nobody until somebody says so.
    """
    row = gate_model(GateKind.FLAG)(name=name, everyone=False, superusers=False, note="Created for a routing rule.")
    row.full_clean()
    save_gate(row)


def _alias(kind: str) -> str:
    """Return the database that gates of this kind are written to, which is not always called `default`."""
    return router.db_for_write(gate_model(kind))
