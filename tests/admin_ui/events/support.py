"""Events as the record holds them."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from rollout.models import Door, Event, EventKind

EVENTS = "/admin/readshift_admin/dashboard/events/"
CSV = f"{EVENTS}events.csv"
JSON_LINES = f"{EVENTS}events.jsonl"


def event(**changes: Any) -> Event:
    """Return an event that was not stored: somebody moved a rule from observe to route."""
    values: dict[str, Any] = {
        "at": timezone.now(),
        "kind": EventKind.CHANGED,
        "door": Door.DASHBOARD,
        "who": "ada",
        "subject_kind": "rule",
        "subject": "endpoint shop:product-list",
        "before": {"mode": "observe"},
        "after": {"mode": "route"},
    }
    return Event(**(values | changes))


def record(count: int = 1, at: datetime | None = None, **changes: Any) -> list[Event]:
    """Store events of one moment, such as a transaction leaves them."""
    moment = at or timezone.now()
    return Event.objects.bulk_create(event(at=moment, **changes) for _ in range(count))
