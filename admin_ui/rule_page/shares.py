"""Which share of actors a rule let go to replicas over time, from its present state and the events back. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollout.bucketing import BUCKETS
from rollout.contracts import Freshness
from rollout.gates import FlagGate, Gate, SampleGate, SwitchGate
from rollout.models import Event, EventKind, GateKind, Mode, RoutingRule
from rollout.policy import KILL_SWITCH

Fields = dict[str, Any]
Subject = tuple[str, str]

KILL = (GateKind.SWITCH.value, KILL_SWITCH)

_OF_RULE = ("mode", "contract", "gate_kind", "gate_name")
"""The fields of a rule that the share depends on."""


@dataclass(frozen=True, slots=True)
class Present:
    """What the share depends on, as it is now: the rule, its gate, None for a missing one, and the kill switch."""

    rule: RoutingRule
    gate: Gate | None
    is_routing_on: bool


def shares(present: Present, events: Iterable[Event], since: datetime) -> tuple[tuple[datetime, float | None], ...]:
    """Return from when on the share was what, in percent, the oldest first.

    events: of the rule, its gate and the kill switch, since then, the newest first. Each tells what was before it, so
    that nothing older is needed. None is before the rule existed, while it went by another gate, whose events are
    not here, and where events are missing.
    """
    rule = str(present.rule)
    rows: dict[Subject, Fields | None] = {
        ("rule", rule): {name: getattr(present.rule, name) for name in _OF_RULE},
        KILL: {"active": present.is_routing_on},
    }
    if present.rule.gate_kind:
        rows[present.rule.gate_kind, present.rule.gate_name] = _fields(present.gate)
    return tuple(reversed([*_backwards(rule, rows, events, since)]))


def _backwards(
    rule: str, rows: dict[Subject, Fields | None], events: Iterable[Event], since: datetime
) -> Iterator[tuple[datetime, float | None]]:
    for event in events:
        subject = (event.subject_kind, event.subject)
        if subject not in rows:
            continue
        yield event.at, _share(rule, rows)
        row = rows[subject]
        if event.kind == EventKind.CREATED:
            rows[subject] = None
        elif event.kind == EventKind.DELETED:
            rows[subject] = event.before
        else:
            rows[subject] = {**(row or {}), **event.before}
    yield since, _share(rule, rows)


def _share(rule: str, rows: dict[Subject, Fields | None]) -> float | None:
    row = rows["rule", rule]
    # Where the event of a deletion is missing, those before it tell only what they changed.
    if row is None or not row.keys() >= set(_OF_RULE):
        return None
    is_on = (rows[KILL] or {}).get("active", False)
    if not is_on or row["mode"] != Mode.ROUTE or row["contract"] == Freshness.STRICT:
        return 0.0
    if not row["gate_kind"]:
        return 100.0
    gate = (row["gate_kind"], row["gate_name"])
    return _of_gate(rows[gate]) if gate in rows else None


def _of_gate(fields: Fields | None) -> float:
    if fields is None:
        return 0.0
    fixed = fields.get("everyone", fields.get("active"))
    if fixed is not None:
        return 100.0 if fixed else 0.0
    return float(fields.get("percent") or 0)


def _fields(gate: Gate | None) -> Fields | None:
    """Return the columns of waffle's that the share depends on."""
    match gate:
        case FlagGate():
            return {"everyone": gate.everyone, "percent": 100 * gate.threshold / BUCKETS}
        case SwitchGate():
            return {"active": gate.active}
        case SampleGate():
            return {"percent": 100 * gate.threshold / BUCKETS}
    return None
