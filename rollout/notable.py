"""Which events somebody is told of, and in what words. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from rollout.models.event import Door, Event, EventKind
from rollout.models.rule import GateKind, Mode
from rollout.policy import KILL_SWITCH


def is_notable(event: Event) -> bool:
    """Say whether to tell of an event.

    Notable are the kill switch, drains and plans, in either direction; whatever came through the webhook; and whatever
    takes reads back to the primary: a rule that routes no more, a gate that closes or whose share falls, and the
    deletion of either. Raising a share by hand is not: whoever does it knows, and it is in the record.
    """
    is_kill_switch = (event.subject_kind, event.subject) == (GateKind.SWITCH, KILL_SWITCH)
    if is_kill_switch or event.subject_kind in {"replica", "plan"} or event.door == Door.WEBHOOK:
        return True
    return takes_back(event)


def takes_back(event: Event) -> bool:
    """Say whether the change let fewer reads go to replicas, as far as the fields tell that changed."""
    before, after = event.before, event.after
    if event.subject_kind == "rule":
        return bool(before.get("mode") == Mode.ROUTE)
    if event.subject_kind not in GateKind.values or event.kind == EventKind.CREATED:
        return False
    if event.kind == EventKind.DELETED:
        return True
    if "everyone" in after:
        return after["everyone"] is False or before.get("everyone") is True
    return before.get("active") is True or _number(after, "percent") < _number(before, "percent")


def _number(fields: dict[str, Any], name: str) -> Decimal:
    try:
        return Decimal(str(fields.get(name) or 0))
    except InvalidOperation:
        return Decimal(0)


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of one event."""

    title: str
    at: datetime
    content: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> Self:
        """Write the notice of an event. `content` is the event, by the names of its fields."""
        back = ", reads taken back to the primary" if takes_back(event) else ""
        content = {
            "id": event.pk,
            "at": event.at.isoformat(),
            "kind": str(event.kind),
            "door": str(event.door),
            "who": event.who,
            "why": event.why,
            "subject_kind": event.subject_kind,
            "subject": event.subject,
            "before": event.before,
            "after": event.after,
            "measures": event.measures,
        }
        # What a caller wrote must not add lines to a mail's head.
        return cls(" ".join(f"Readshift: {event}{back}".split()), event.at, content)

    @property
    def text(self) -> str:
        """The notice for people, one line for each thing that is known."""
        known = {name: value for name, value in self.content.items() if value not in ("", None, {})}
        return "\n".join([self.title, "", *(f"{name.replace('_', ' ')}: {value}" for name, value in known.items())])
