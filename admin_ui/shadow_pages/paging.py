"""Compared reads page by page, the newest first. A page costs the same wherever it lies: it begins after a read, and
no other is counted or skipped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models import Q, QuerySet

from rollout.models import ShadowRead

PAGE_SIZE = 50

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORM = re.compile(r"(\d{1,17})-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a read stands among the others: when it was compared, and its id."""

    at: datetime
    pk: int

    @classmethod
    def of(cls, read: ShadowRead) -> Self:
        return cls(read.compared_at or _EPOCH, read.pk)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return what `str` wrote, or None for anything else."""
        found = _FORM.fullmatch(text)
        return None if found is None else cls(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]))

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.pk}"

    @property
    def before(self) -> Q:
        """What comes after it in a list that begins with the newest."""
        # The first condition says nothing new, and lets an index do the rest.
        return Q(compared_at__lte=self.at) & (Q(compared_at__lt=self.at) | Q(pk__lt=self.pk))

    @property
    def itself(self) -> Q:
        """The read that stands there."""
        return Q(compared_at=self.at, pk=self.pk)

    @property
    def after(self) -> Q:
        """What comes before it there."""
        return Q(compared_at__gte=self.at) & (Q(compared_at__gt=self.at) | Q(pk__gt=self.pk))


@dataclass(frozen=True, slots=True)
class Slice:
    """The reads of a page, the newest first. newer, older: the places that the pages beside it begin at, if any."""

    reads: Sequence[ShadowRead]
    newer: Place | None
    older: Place | None


def read_slice(reads: QuerySet[ShadowRead], older_than: str = "", newer_than: str = "") -> Slice:
    """Return the page before or after a place, in one query; the first one for anything that is no place."""
    if (place := Place.parse(newer_than)) is not None:
        found = list(reads.filter(place.after).order_by("compared_at", "pk")[: PAGE_SIZE + 1])
        has_newer, has_older = len(found) > PAGE_SIZE, True
        found = found[:PAGE_SIZE][::-1]
    else:
        place = Place.parse(older_than)
        wanted = reads if place is None else reads.filter(place.before)
        found = list(wanted.order_by("-compared_at", "-pk")[: PAGE_SIZE + 1])
        has_newer, has_older = place is not None, len(found) > PAGE_SIZE
        found = found[:PAGE_SIZE]
    return Slice(
        found,
        newer=Place.of(found[0]) if found and has_newer else None,
        older=Place.of(found[-1]) if found and has_older else None,
    )
