"""Two who edit one rule at the same time: the second is told what the first did, and loses nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

from django.db import models
from django.utils import timezone

from rollout.models import Door, Event, RoutingRule

REFUSAL = (
    "Somebody changed this rule after you opened it, so nothing was saved. Your input is still here, with what is "
    "stored now beside it. Save again to store yours."
)
MANY = 3
_UNTOLD = frozenset({"id", "created", "modified"})
_SEPARATOR = "-"
_LONGEST_ID = 19
"""Digits of the greatest id. Python reads no number of thousands of them."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a form was loaded with. digest: of the row. event: the id of the newest event of the rule by then, or 0.

    The digest decides whether the row is still the same, also where something changed it that leaves no event. The id
    only tells which events have come since.
    """

    digest: str
    event: int

    @classmethod
    def of(cls, rule: RoutingRule, using: str) -> Self:
        """Return the version of a row that was just read."""
        return cls(digest_of(rule), _events(rule, using).values_list("pk", flat=True).first() or 0)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return what `str` has written, or None for anything else."""
        digest, _, event = text.partition(_SEPARATOR)
        is_id = event.isascii() and event.isdigit() and len(event) <= _LONGEST_ID
        return cls(digest, int(event)) if digest and is_id else None

    def __str__(self) -> str:
        return f"{self.digest}{_SEPARATOR}{self.event}"


def digest_of(rule: RoutingRule) -> str:
    """Return a short name for what the columns of a row hold, those left out that change with every save."""
    values = (
        f"{field.attname}={field.value_to_string(rule)}"
        for field in rule._meta.concrete_fields
        if field.attname not in _UNTOLD
    )
    return blake2b("\0".join(values).encode(), digest_size=8).hexdigest()


def told_since(rule: RoutingRule, version: Version, using: str) -> tuple[str, ...]:
    """Say what was done to a rule since a version was loaded, the newest first: who, when, and what."""
    told = [event_words(event) for event in _events(rule, using).filter(pk__gt=version.event)[: MANY + 1]]
    if not told:
        return ("It left no event, so nobody knows who did it.",)
    return (*told[:MANY], *(["Older changes are in its history."] if len(told) > MANY else []))


def event_words(event: Event) -> str:
    """Say one event: ada at 03:12:04: mode from observe to route (“Tests passed.”)."""
    who = event.who or (Door(event.door).label if event.door in Door.values else event.door)
    changes = ", ".join(
        f"{name.replace('_', ' ')} from “{event.before.get(name, '')}” to “{value}”"
        for name, value in event.after.items()
    )
    why = f" (“{event.why}”)" if event.why else ""
    return f"{who} at {timezone.localtime(event.at):%Y-%m-%d %H:%M:%S}: {changes or event.get_kind_display()}{why}."


def differences(rule: RoutingRule, wanted: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return by name what the stored rule holds of the fields that the form wants to be something else."""
    return {name: getattr(rule, name) for name in names if name in wanted and getattr(rule, name) != wanted[name]}


def _events(rule: RoutingRule, using: str) -> models.QuerySet[Event]:
    return Event.objects.using(using).filter(subject_kind="rule", subject=str(rule)).order_by("-pk")
