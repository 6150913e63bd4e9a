"""Places in long lists, the newest first, at which a page begins: it costs the same wherever it lies."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models import Q

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORM = re.compile(r"(\d{1,18})-(\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row stands among the others: its time, and its id."""

    at: datetime
    pk: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return what `str` wrote, or None for anything else, so that a mangled address shows the newest."""
        found = _FORM.fullmatch(text)
        try:
            return None if found is None else cls(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]))
        except OverflowError:
            return None

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.pk}"

    def itself(self, field: str) -> Q:
        """Return the condition for the row that stands there. field: that of the time."""
        return Q((field, self.at), pk=self.pk)

    def before(self, field: str) -> Q:
        """Return the condition for what follows it in the list."""
        # The first condition says nothing new, and lets an index do the rest.
        return Q((f"{field}__lte", self.at)) & (Q((f"{field}__lt", self.at)) | Q(pk__lt=self.pk))

    def after(self, field: str) -> Q:
        """Return the condition for what precedes it there."""
        return Q((f"{field}__gte", self.at)) & (Q((f"{field}__gt", self.at)) | Q(pk__gt=self.pk))
