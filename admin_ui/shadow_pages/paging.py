"""Compared reads page by page, the newest first. A page costs the same wherever it lies: it begins after a read, and
no other is counted or skipped."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from admin_ui.places import Place
from rollout.models import ShadowRead

PAGE_SIZE = 50

TIME = "compared_at"
"""The field whose order the list has. Every read that was compared has it."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The reads of a page, the newest first. newer, older: the places that the pages beside it begin at, if any."""

    reads: Sequence[ShadowRead]
    newer: Place | None
    older: Place | None


def place_of(read: ShadowRead) -> Place:
    """Return where a compared read stands."""
    return Place(read.compared_at or read.captured_at, read.pk)


def read_slice(reads: QuerySet[ShadowRead], older_than: str = "", newer_than: str = "") -> Slice:
    """Return the page before or after a place, in one query; the first one for anything that is no place."""
    if (place := Place.parse(newer_than)) is not None:
        found = list(reads.filter(place.after(TIME)).order_by("compared_at", "pk")[: PAGE_SIZE + 1])
        has_newer, has_older = len(found) > PAGE_SIZE, True
        found = found[:PAGE_SIZE][::-1]
    else:
        place = Place.parse(older_than)
        wanted = reads if place is None else reads.filter(place.before(TIME))
        found = list(wanted.order_by("-compared_at", "-pk")[: PAGE_SIZE + 1])
        has_newer, has_older = place is not None, len(found) > PAGE_SIZE
        found = found[:PAGE_SIZE]
    return Slice(
        found,
        newer=place_of(found[0]) if found and has_newer else None,
        older=place_of(found[-1]) if found and has_older else None,
    )
