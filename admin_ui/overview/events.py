"""The last changes, in a line each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollout.models import Event, EventKind
from rollout.notable import takes_back

LAST = 8
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class EventLine:
    """who: the user, command, task or plan, or else the door. takes_back: whether fewer reads go to replicas since."""

    at: datetime
    who: str
    what: str
    changes: str
    why: str
    takes_back: bool


def read_events(using: str) -> tuple[EventLine, ...]:
    """Return the newest first, in one query."""
    return tuple(map(event_line, Event.objects.using(using).defer("measures")[:LAST]))


def event_line(event: Event) -> EventLine:
    """Put one event into words. Pure."""
    return EventLine(
        at=event.at,
        who=event.who or event.get_door_display(),
        what=f"{event.subject_kind} {event.subject} {event.get_kind_display().lower()}",
        changes=", ".join(_changes(event)) if event.kind == EventKind.CHANGED else "",
        why=event.why,
        takes_back=takes_back(event),
    )


def _changes(event: Event) -> Iterator[str]:
    for name, after in event.after.items():
        yield f"{name.replace('_', ' ')} {_text(event.before.get(name))} → {_text(after)}"


def _text(value: Any) -> str:
    """Write a value as people do, and no more of it than fits."""
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
