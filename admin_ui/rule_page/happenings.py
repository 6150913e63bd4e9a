"""What happened to a rule, its gate and its plans, from events: one entry for all that one change did. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.utils.text import capfirst

from rollout.models import Door, Event, EventKind
from rollout.notable import takes_back
from rollout.plan_states import State

_SAME_CHANGE = timedelta(seconds=1)


class Sort(StrEnum):
    """What a happening is to the share on replicas. The value names the CSS class."""

    STAGE = "stage"
    PAUSE = "pause"
    BACK = "back"
    FINISH = "finish"
    CHANGE = "change"

    @property
    def sign(self) -> str:
        """What marks it in a chart. Each has a form of its own, as colours alone say nothing to some."""
        return {"stage": "▲", "pause": "‖", "back": "▼", "finish": "■", "change": "●"}[self]

    @property
    def word(self) -> str:
        return {
            "stage": "Stage",
            "pause": "Pause",
            "back": "Back to the primary",
            "finish": "Finish",
            "change": "Change",
        }[self]


@dataclass(frozen=True, slots=True)
class Happening:
    """words: what happened, and the reason. who: the name, or through which door it came."""

    at: datetime
    sort: Sort
    words: str
    who: str


def happenings(events: Iterable[Event]) -> tuple[Happening, ...]:
    """Return what these events tell, in their order, which is the newest first."""
    return tuple(_happening(list(together)) for together in _together(events))


def _together(events: Iterable[Event]) -> Iterable[list[Event]]:
    """Yield the events of one change: by the same hand, for the same reason, one right after the other."""
    for _, run in groupby(events, key=lambda event: (event.who, event.why, event.door)):
        change: list[Event] = []
        for event in run:
            if change and change[-1].at - event.at > _SAME_CHANGE:
                yield change
                change = []
            change.append(event)
        yield change


def _happening(events: list[Event]) -> Happening:
    plan = next((event for event in events if event.subject_kind == "plan" and event.after.get("reason")), None)
    told = plan or events[0]
    words = str(told.after["reason"]) if plan is not None else "; ".join(map(change_words, reversed(events)))
    if told.why and told.why not in words:
        words = f"{words.removesuffix('.')}. {told.why}"
    who = told.who or str(Door(told.door).label if told.door in Door.values else told.door)
    return Happening(told.at, _sort(events, plan), words, who)


def _sort(events: list[Event], plan: Event | None) -> Sort:
    if plan is None:
        return Sort.BACK if any(map(_closes, events)) else Sort.CHANGE
    by_state: dict[Any, Sort] = {
        State.ROLLED_BACK: Sort.BACK,
        State.PAUSED: Sort.PAUSE,
        State.FINISHED: Sort.FINISH,
    }
    return by_state.get(plan.after.get("state"), Sort.STAGE)


def _closes(event: Event) -> bool:
    """Say whether nobody's reads go to replicas any more after it."""
    if not takes_back(event):
        return False
    return event.subject_kind == "rule" or event.kind == EventKind.DELETED or "percent" not in event.after


def change_words(event: Event) -> str:
    """Say what an event tells: Flag products: percent from 5.0 to 25.0."""
    subject = capfirst(f"{event.subject_kind} {event.subject}")
    if event.kind != EventKind.CHANGED:
        return f"{subject} {event.get_kind_display().lower()}"
    return f"{subject}: {field_words(event.before, event.after)}"


def field_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Say which fields changed from what to what."""
    names = dict.fromkeys([*before, *after])
    return ", ".join(
        f"{name.replace('_', ' ')} from {value_words(before.get(name))} to {value_words(after.get(name))}"
        for name in names
    )


def value_words(value: object) -> str:
    """Say a value as people do."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
