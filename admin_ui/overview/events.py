"""The last changes, as the overview shows them."""

from admin_ui.events.words import EventWords
from rollout.models import Event

LAST = 8


def read_events(using: str) -> tuple[EventWords, ...]:
    """Return the newest first, in one query."""
    return tuple(map(EventWords.of, Event.objects.using(using)[:LAST]))
