"""What the buttons about looks ask for, checked and put into words before it happens."""

from datetime import datetime

from django.core.exceptions import ValidationError

from admin_ui.operating.actions import Step
from admin_ui.places import Place
from admin_ui.shadow_pages.filters import parse, reads_asked_for
from admin_ui.shadow_pages.paging import TIME
from admin_ui.shadow_pages.words import outcome_words
from rollout import looks
from rollout.exposure import Change, Exposure
from rollout.gates import NOBODY
from rollout.models import RoutingRule, ShadowRead
from tasks.reporting.findings import cause_words

_SAME = Exposure(NOBODY)
"""Looking moves no read."""


def look_step(pk: int, now: datetime, using: str) -> Step:
    """Plan marking one read as looked at. Call it in a transaction: the row stays locked until the end of it."""
    reads = looks.lock_unseen(ShadowRead.objects.using(using).filter(pk=pk))
    if not reads:
        raise ValidationError(
            f"Shadow read {pk} needs no look, or somebody has looked at it meanwhile, so nothing was changed."
        )
    return _step(reads, _name(reads[0]), f"{_subject(reads)} marked as looked at", now, using)


def look_at_all_step(query: dict[str, str], until: str, now: datetime, using: str) -> Step:
    """Plan marking all reads that filters let through, up to the newest one that the page has shown.

    query: the filters, as the address of the list says them. until: that one's place.
    """
    place = Place.parse(until)
    if place is None:
        raise ValidationError("The page did not say up to which read. Reload it, then press the button again.")
    asked = parse(query, RoutingRule.objects.using(using))
    if asked.problems:
        raise ValidationError([*asked.problems, "Nothing was changed."])
    shown = reads_asked_for(asked, now, using).filter(place.before(TIME) | place.itself(TIME))
    reads = looks.lock_unseen(shown)
    if not reads:
        raise ValidationError("There is no read left to look at among these, so nothing was changed.")
    filters = asked.filters
    parts = [
        filters.outcome and outcome_words(filters.outcome),
        filters.cause and cause_words(filters.cause),
        f"of {asked.rule}" if asked.rule else "of all rules",
    ]
    subject = ", ".join(filter(None, parts))
    more = "" if len(reads) < looks.MOST_AT_ONCE else f" ({len(reads)} at once at most: press it again for the others)"
    return _step(reads, subject, f"{_subject(reads)} marked as looked at: {subject}{more}", now, using)


def undo_step(pk: int, using: str) -> Step:
    """Plan taking back a look, for all reads that it marked."""
    reads = looks.lock_look(pk, using)
    change = Change(f"{_subject(reads)} marked as not looked at", _SAME, _SAME)

    def apply() -> Change:
        looks.undo(reads, _name(reads[0]), using)
        return change

    return Step(change, effects=(), apply=apply, subject=lambda: reads[0])


def _step(reads: list[ShadowRead], subject: str, words: str, now: datetime, using: str) -> Step:
    change = Change(words, _SAME, _SAME)

    def apply() -> Change:
        looks.look_at(reads, subject, now, using)
        return change

    return Step(change, effects=(), apply=apply, subject=lambda: reads[0])


def _subject(reads: list[ShadowRead]) -> str:
    return str(reads[0]) if len(reads) == 1 else f"{len(reads)} shadow reads"


def _name(read: ShadowRead) -> str:
    """Return what an event calls a read, of which it says itself that it is one."""
    return f"{read.pk} of {read.endpoint or 'no endpoint'}"
