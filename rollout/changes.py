"""Notices every change of a rule, gate or drained replica that goes through the ORM, and announces it.

The announcement belongs to the caller's transaction. Under autocommit a save has committed by the time its signal is
sent; should the process end in between, the periodic reload finds the change.
"""

import logging
from typing import Any

from django.db import ProgrammingError, connections, transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import Signal
from waffle import get_waffle_flag_model, get_waffle_sample_model, get_waffle_switch_model

from rollout.models import DrainedReplica, PolicyRevision, RoutingRule

logger = logging.getLogger("readshift")

UNDEFINED_TABLE = "42P01"

policy_changed = Signal()
"""Sent with `using` when this process changed what a policy is compiled from, before the transaction commits."""


def connect() -> None:
    """Listen to our own models and to waffle's, custom flag models included."""
    flag = get_waffle_flag_model()
    for model in (RoutingRule, DrainedReplica, flag, get_waffle_switch_model(), get_waffle_sample_model()):
        post_save.connect(_announce, sender=model, dispatch_uid=f"readshift.save.{model._meta.label}")
        post_delete.connect(_announce, sender=model, dispatch_uid=f"readshift.delete.{model._meta.label}")
    for field in flag._meta.many_to_many:
        m2m_changed.connect(
            _announce_relation, sender=field.remote_field.through, dispatch_uid=f"readshift.relation.{field.name}"
        )


def announce(using: str) -> None:
    """Raise the revision on this alias. For changes that send no signal, such as `QuerySet.update()`."""
    if connections[using].vendor == "postgresql":
        try:
            with transaction.atomic(using=using):
                PolicyRevision.objects.bump(using)
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", None) != UNDEFINED_TABLE:
                raise
            logger.warning("A rule or gate was saved on %r before Readshift's tables exist. Run migrate.", using)
    policy_changed.send(sender=PolicyRevision, using=using)


def _announce(using: str, raw: bool = False, **_: Any) -> None:
    # A fixture may be loaded before our tables exist; the periodic reload finds what it brought.
    if not raw:
        announce(using)


def _announce_relation(action: str, using: str, **_: Any) -> None:
    if action.startswith("post_"):
        announce(using)
