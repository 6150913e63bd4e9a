"""Notices every change of a rule, gate or drained replica that goes through the ORM, and announces it.

The announcement belongs to the caller's transaction. Under autocommit a save has committed by the time its signal is
sent; should the process end in between, the periodic reload finds the change.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import ProgrammingError, connections, models, transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import Signal
from waffle import get_waffle_flag_model, get_waffle_sample_model, get_waffle_switch_model

from rollout.models import DrainedReplica, GateKind, PolicyRevision, RoutingRule

logger = logging.getLogger("readshift")

UNDEFINED_TABLE = "42P01"
UNDEFINED_COLUMN = "42703"

policy_changed = Signal()
"""Sent with `using` when this process changed what a policy is compiled from, before the transaction commits."""


def connect() -> None:
    """Listen to our own models and to waffle's, custom flag models included."""
    for model in deciding_models().values():
        post_save.connect(_announce, sender=model, dispatch_uid=f"readshift.save.{model._meta.label}")
        post_delete.connect(_announce, sender=model, dispatch_uid=f"readshift.delete.{model._meta.label}")
    for name, through in flag_relations().items():
        m2m_changed.connect(_announce_relation, sender=through, dispatch_uid=f"readshift.relation.{name}")


def deciding_models() -> Mapping[str, type[models.Model]]:
    """Return the models that a policy is compiled from, custom flag models included, by what events call their rows."""
    return {
        "rule": RoutingRule,
        "replica": DrainedReplica,
        GateKind.FLAG.value: get_waffle_flag_model(),
        GateKind.SWITCH.value: get_waffle_switch_model(),
        GateKind.SAMPLE.value: get_waffle_sample_model(),
    }


def flag_relations() -> Mapping[str, type[models.Model]]:
    """Return the tables that say for whom flags are, by the name of the relation."""
    relations: Any = get_waffle_flag_model()._meta.many_to_many
    return {relation.name: relation.remote_field.through for relation in relations}


@contextmanager
def before_migrate(using: str) -> Iterator[None]:
    """Let what this block writes to our own tables fail with a warning where they do not exist yet."""
    try:
        with transaction.atomic(using=using):
            yield
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", None) != UNDEFINED_TABLE:
            raise
        logger.warning("A rule or gate was saved on %r before Readshift's tables exist. Run migrate.", using)


def announce(using: str) -> None:
    """Raise the revision on this alias. For changes that send no signal, such as `QuerySet.update()`."""
    if connections[using].vendor == "postgresql":
        with before_migrate(using):
            PolicyRevision.objects.bump(using)
    policy_changed.send(sender=PolicyRevision, using=using)


def _announce(using: str, raw: bool = False, **_: Any) -> None:
    # A fixture may be loaded before our tables exist; the periodic reload finds what it brought.
    if not raw:
        announce(using)


def _announce_relation(action: str, using: str, **_: Any) -> None:
    if action.startswith("post_"):
        announce(using)
