"""Compared reads as CSV and JSON, without anything that a statement or a row holds of people.

A download is read in batches while it is sent: it takes no more memory than one of them, and ends after so many reads.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from admin_ui.downloads import safe_cell
from admin_ui.shadow_pages.paging import TIME, place_of
from rollout.models import ShadowRead
from routers.own_work import own_work
from routers.positions import format_lsn

MOST_READS = 50_000
"""How many reads one download holds at most, the newest."""

BATCH = 1_000

_STORED = (
    "id",
    "captured_at",
    "compared_at",
    "outcome",
    "cause",
    "endpoint",
    "model",
    "cluster",
    "pool",
    "alias",
    "replica",
    "reason",
    "fingerprint",
    "statement",
    "position",
    "staleness_ms",
    "primary_ms",
    "replica_ms",
    "rows",
    "tries",
    "looked_at",
    "looked_by",
    "look_note",
)


def read_exported(reads: QuerySet[ShadowRead], most: int = MOST_READS) -> Iterator[dict[str, Any]]:
    """Yield reads as rows of a download, the newest first, by the names that they are stored under."""
    wanted, left = reads.order_by("-compared_at", "-pk").only(*_STORED), most
    rest = wanted
    while left > 0:
        # Not around what is yielded: whoever takes it does so in a context of their own.
        with own_work():
            batch = list(rest[: min(left, BATCH)])
        yield from map(_row, batch)
        if len(batch) < min(left, BATCH):
            return
        left -= len(batch)
        rest = wanted.filter(place_of(batch[-1]).before(TIME))


def as_csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield lines of CSV, the names first."""
    writer = csv.writer(_Echo())
    yield writer.writerow(_STORED)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row.values()])


def as_json(rows: Iterator[dict[str, Any]], asked: Mapping[str, str]) -> Iterator[str]:
    """Yield one JSON object in pieces, with what was asked for first."""
    yield f'{{"asked": {json.dumps(asked)}, "reads": ['
    for number, row in enumerate(rows):
        yield f"{',' if number else ''}\n{json.dumps(row, ensure_ascii=False)}"
    yield "\n]}\n"


def _row(read: ShadowRead) -> dict[str, Any]:
    row = {name: getattr(read, name) for name in _STORED}
    for name in ("captured_at", "compared_at", "looked_at"):
        row[name] = None if row[name] is None else row[name].isoformat()
    row["position"] = None if read.position is None else format_lsn(read.position)
    return row


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text
