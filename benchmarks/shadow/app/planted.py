"""The reads of the rows that somebody changes on the subscriber alone, by what was changed."""

from collections.abc import Callable, Iterable

from django.db.models.expressions import RawSQL

from benchmarks.shadow.app.models import Item

_OWN_ZONE = "(SELECT reset_val FROM pg_settings WHERE name = 'TimeZone')"
"""The zone of the role. That of the session is set by Django."""

Reading = Callable[[str], Iterable[object]]


def _rows(shelf: str) -> Iterable[object]:
    return Item.objects.filter(shelf=shelf).order_by("pk")


def _sorted(shelf: str) -> Iterable[object]:
    return Item.objects.filter(shelf=shelf).order_by("name").values_list("name", "stock")


def _local(shelf: str) -> Iterable[object]:
    zone = RawSQL(_OWN_ZONE, ())  # noqa: S611 - a constant
    return list(Item.objects.filter(shelf=shelf).annotate(zone=zone).values_list("pk", "zone"))


PLANTED: dict[str, Reading] = {
    "row_changed": _rows,
    "row_missing": _rows,
    "row_extra": _rows,
    "column_changed": _rows,
    "collation": _sorted,
    "time_zone": _local,
}
"""By fault, which is also the name of the shelf."""
