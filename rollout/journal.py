"""Writes an event for every change of a rule, gate, drained replica or plan that goes through the ORM.

It belongs to the caller's transaction: what is rolled back leaves no event, and what is kept has one.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connections, models
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import Signal
from django.utils import timezone
from waffle import get_waffle_flag_model

from rollout import acting
from rollout.changes import before_migrate, deciding_models, flag_relations
from rollout.models import Event, GateKind, RolloutPlan, RoutingRule
from rollout.models.event import EventKind
from rollout.policy import KILL_SWITCH
from rollout.settings import is_idle

logger = logging.getLogger("readshift.events")

event_recorded = Signal()
"""Sent with `event` for each event, within the transaction of the change. For hosts that notify or record elsewhere."""

_UNTOLD = frozenset({"id", "created", "modified"})
"""Fields that change with every change, or never."""

_UNTOLD_OF_PLANS = _UNTOLD | {
    "expected_percent",
    "expected_targets",
    "stage_began_at",
    "started_at",
    "ended_at",
    "standings",
    "verdicts",
    "outlook",
    "looked_at",
    "horizons",
    "stage_revision",
    "sample",
    "version",
}
"""What a plan has counted, which changes every few seconds, and what the event of its flag tells already."""

_MEMORY = "_readshift_before"
"""The attribute of an object that is being saved under which what its row held is remembered."""


def connect() -> None:
    """Listen to our own models and to waffle's, custom flag models included."""
    for model in _recorded_models().values():
        label = model._meta.label
        pre_save.connect(_remember, sender=model, dispatch_uid=f"readshift.journal.before.{label}")
        post_save.connect(_saved, sender=model, dispatch_uid=f"readshift.journal.save.{label}")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"readshift.journal.delete.{label}")
    for name, through in flag_relations().items():
        m2m_changed.connect(_related, sender=through, dispatch_uid=f"readshift.journal.relation.{name}")


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to what. The fields are those of `rollout.models.Event`."""

    kind: str
    subject_kind: str
    subject: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def record(happening: Happening, using: str) -> Event | None:
    """Write one event on this alias, put down to whoever acts.

    Returns None where nothing is recorded: before our tables exist, and in a project's own tests.
    """
    if is_idle() or connections[using].vendor != "postgresql":
        return None
    actor = acting.current()
    event = Event(
        at=timezone.now(),
        kind=happening.kind,
        door=actor.door,
        who=actor.who()[:254],
        why=actor.why,
        subject_kind=happening.subject_kind,
        subject=happening.subject[:254],
        before=_plain(happening.before),
        after=_plain(happening.after),
        measures=dict(actor.measures),
    )
    with before_migrate(using):
        event.save(using=using, force_insert=True)
    if event.pk is None:
        return None
    logger.info("%s: %s -> %s", event, event.before, event.after)
    event_recorded.send(sender=Event, event=event)
    return event


def _recorded_models() -> Mapping[str, type[models.Model]]:
    """Return the models whose changes leave events, by what events call their rows. A policy needs no plan."""
    return {**deciding_models(), "plan": RolloutPlan}


def _describe(instance: models.Model) -> tuple[str, str]:
    """Return the kind of a subject and its name."""
    kind = next(kind for kind, model in _recorded_models().items() if isinstance(instance, model))
    match kind:
        case "plan":
            return kind, str(getattr(instance, "subject", ""))
        case "rule":
            return kind, str(instance)
        case "replica":
            return kind, str(getattr(instance, "alias", ""))
    return kind, str(getattr(instance, "name", ""))


def _concerns_routing(kind: str, name: str, using: str) -> bool:
    """Say whether a gate decides about reads. Others are the host's own business."""
    if kind not in GateKind.values:
        return True
    is_kill_switch = kind == GateKind.SWITCH and name == KILL_SWITCH
    return is_kill_switch or RoutingRule.objects.using(using).filter(gate_kind=kind, gate_name=name).exists()


def _untold(kind: str) -> frozenset[str]:
    return _UNTOLD_OF_PLANS if kind == "plan" else _UNTOLD


def _fields(instance: models.Model) -> dict[str, Any]:
    return {each.name: each.value_from_object(instance) for each in instance._meta.concrete_fields}


def _stored(model: type[models.Model], pk: object, using: str) -> dict[str, Any]:
    """Return what a row holds: what was assigned to an object need not be of the same type, nor be saved at all."""
    rows = model._base_manager.using(using).filter(pk=pk)
    # In a transaction, as in an admin's page, the row is locked already here and not only when it is written. Else
    # somebody else could write it in between, and what they wrote would be missing in the event as what was before.
    row = (rows.select_for_update() if connections[using].in_atomic_block else rows).first()
    return _fields(row) if row is not None else {}


def _remember(sender: type[models.Model], instance: models.Model, using: str, raw: bool = False, **_: Any) -> None:
    if not raw and instance.pk is not None and not is_idle():
        instance.__dict__[_MEMORY] = _stored(sender, instance.pk, using)


def _saved(
    sender: type[models.Model], instance: models.Model, created: bool, using: str, raw: bool = False, **_: Any
) -> None:
    before = instance.__dict__.pop(_MEMORY, {})
    kind, name = _describe(instance)
    if raw or is_idle() or not _concerns_routing(kind, name, using):
        return
    after = _stored(sender, instance.pk, using)
    untold = _untold(kind)
    changed = {field for field, value in after.items() if field not in untold and (created or before[field] != value)}
    if changed:
        was, is_now = ({field: row[field] for field in sorted(changed & row.keys())} for row in (before, after))
        happened = EventKind.CREATED if created else EventKind.CHANGED
        record(Happening(happened, kind, name, was, is_now), using)


def _deleted(instance: models.Model, using: str, **_: Any) -> None:
    kind, name = _describe(instance)
    if not is_idle() and _concerns_routing(kind, name, using):
        was = {each: value for each, value in _fields(instance).items() if each not in _untold(kind)}
        record(Happening(EventKind.DELETED, kind, name, before=was), using)


def _related(sender: type[models.Model], instance: models.Model, action: str, using: str, **more: Any) -> None:
    if is_idle() or not isinstance(instance, get_waffle_flag_model()) or not action.startswith("post_"):
        return
    name = str(getattr(instance, "name", ""))
    if not _concerns_routing(GateKind.FLAG, name, using):
        return
    relation = next(each for each, through in flag_relations().items() if through is sender)
    keys = sorted(map(str, more.get("pk_set") or ()))
    changes: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "post_add": ({}, {relation: keys}),
        "post_remove": ({relation: keys}, {}),
        "post_clear": ({relation: ["all"]}, {relation: []}),
    }
    gone, new = changes[action]
    record(Happening(EventKind.CHANGED, GateKind.FLAG.value, name, gone, new), using)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, _JSON) else str(value) for name, value in values.items()}


_JSON = (bool, int, float, str, list, dict, type(None))
