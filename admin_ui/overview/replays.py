"""Reads that a server failed to answer and that were asked again elsewhere, read from the tallies in one query."""

from dataclasses import dataclass

from django.db.models import Sum

from admin_ui.drawing.windows import Window
from rollout.models import Tally, TallyKind
from rollout.reasons import Cause


@dataclass(frozen=True, slots=True)
class Replays:
    """How many reads one server failed to answer for one cause, and which server answered them instead."""

    alias: str
    cause: str
    answered_by: str
    count: int


def read_replays(window: Window, using: str) -> tuple[Replays, ...]:
    """Read the sums of a window from one alias, the most frequent of each server first."""
    rows = (
        Tally.objects.using(using)
        .filter(kind=TallyKind.REPLAY, starts_at__range=(window.starts_at, window.ends_at))
        .values_list("alias", "reason", "candidate")
        .annotate(reads=Sum("count"))
        .order_by("alias", "-reads", "reason", "candidate")
    )
    return tuple(
        Replays(alias, str(Cause(cause).label) if cause in Cause.values else cause, answered_by, count)
        for alias, cause, answered_by, count in rows
    )
