"""What an event says, in words. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Any, Self
from urllib.parse import urlencode

from django.utils import timezone

from admin_ui.drawing.figures import percent
from rollout.models import Door, Event, EventKind, GateKind
from rollout.notable import takes_back
from rollout.policy import KILL_SWITCH

TOLD_CHANGES = 4
LONGEST_VALUE = 60
"""So many fields, and so many characters of a value, are told where there is little room."""

_PERCENTAGES = frozenset({"percent", "shadow_percent"})
_FIRST = ("state", "stage", "mode", "active", "everyone", "percent", "gate_kind", "gate_name")
"""Fields that tell the most, in this order, before all others in the order of the alphabet."""

_KILLED = "was turned off: every read goes to the primary"
_HAPPENED = {EventKind.CREATED: "was created", EventKind.CHANGED: "was changed", EventKind.DELETED: "was deleted"}


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after, in words. Empty: the event does not say, as before something was created."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class EventWords:
    """One event for people.

    local: when, in the active time zone. exact: the same to the microsecond in UTC. iso: for programs.
    what: to continue the subject. changes: what changed, the fields that tell the most first. measures: name and value.
    is_taking_back: whether reads came back to the primary. query: what finds all events of this subject.
    """

    pk: int
    local: str
    exact: str
    iso: str
    who: str
    door: str
    why: str
    subject_kind: str
    subject: str
    what: str
    changes: tuple[Change, ...]
    measures: tuple[tuple[str, str], ...]
    is_taking_back: bool
    query: str

    @classmethod
    def of(cls, event: Event) -> Self:
        """Put an event into words."""
        return cls(
            pk=event.pk,
            local=f"{timezone.localtime(event.at):%Y-%m-%d %H:%M:%S %Z}",
            exact=f"{event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC",
            iso=event.at.isoformat(),
            who=event.who,
            door=str(Door(event.door).label) if event.door in Door.values else event.door,
            why=event.why,
            subject_kind=event.subject_kind,
            subject=event.subject,
            what=_what(event),
            changes=changes_of(event),
            measures=tuple(_measures(event.measures)),
            is_taking_back=takes_back(event) or _is_kill(event),
            query=urlencode({"subject_kind": event.subject_kind, "subject": event.subject}),
        )

    @property
    def line(self) -> str:
        """What changed, on one line: the fields that tell the most, and how many others there are."""
        told = [_line(change) for change in self.changes[:TOLD_CHANGES]]
        more = len(self.changes) - len(told)
        return "; ".join([*told, f"{more} more fields"] if more > 0 else told)


def changes_of(event: Event) -> tuple[Change, ...]:
    """Return the fields that changed. Of what was created or deleted, those that held something."""
    before, after = event.before, event.after
    names = sorted(before.keys() | after.keys(), key=lambda name: (*_rank(name), name))
    if event.kind != EventKind.CHANGED:
        names = [name for name in names if before.get(name) or after.get(name)]
    return tuple(Change(name.replace("_", " "), _side(before, name), _side(after, name)) for name in names)


def value_words(name: str, value: Any) -> str:
    """Return one value of a field as people write it."""
    if isinstance(value, bool) or value in (None, ""):
        return _PLAIN[value]
    if isinstance(value, list):
        return ", ".join(value_words("", each) for each in value) or "none"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return _percentage(value) if name in _PERCENTAGES else str(value)


_PLAIN = {None: "not set", True: "yes", False: "no", "": "empty"}


def _percentage(value: Any) -> str:
    try:
        return percent(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


def _what(event: Event) -> str:
    if (event.subject_kind, event.subject, "active" in event.after) == (GateKind.SWITCH, KILL_SWITCH, True):
        return "was turned on: the rules decide again" if event.after["active"] else _KILLED
    return _HAPPENED.get(EventKind(event.kind), event.kind) if event.kind in EventKind.values else event.kind


def _is_kill(event: Event) -> bool:
    return _what(event) == _KILLED


def _rank(name: str) -> tuple[int]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST),)


def _side(values: Mapping[str, Any], name: str) -> str:
    return value_words(name, values[name]) if name in values else ""


def _line(change: Change) -> str:
    return f"{change.field}: {' → '.join(_cut(value) for value in (change.before, change.after) if value)}"


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"


def _measures(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Flatten metric values, which are verdicts by metric where a plan decided."""
    if isinstance(content, Mapping) and {"finding", "reason"} <= content.keys():
        trial = " (in trial)" if content.get("trial") else ""
        yield path, f"{content['finding']}: {content['reason']}{trial}"
        return
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(content, Mapping):
        inner = ((str(key), value) for key, value in content.items())
    elif isinstance(content, list):
        inner = ((str(number), value) for number, value in enumerate(content))
    else:
        yield path, value_words("", content)
    for name, value in inner:
        yield from _measures(value, f"{path}.{name}" if path else name)
