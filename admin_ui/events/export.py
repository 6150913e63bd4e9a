"""The record as a file, written while it is read, so that its length costs no memory."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from itertools import chain
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, StreamingHttpResponse

from admin_ui.downloads import download, safe_cell
from admin_ui.events.queries import read_chunks
from rollout.models import Event
from rollout.notable import Notice
from routers.own_work import own_work

CHUNK = 1_000

COLUMNS = (
    "id",
    "at",
    "kind",
    "door",
    "who",
    "why",
    "subject_kind",
    "subject",
    "before",
    "after",
    "measures",
)


def export(request: HttpRequest, met: Q, form: str, using: str) -> StreamingHttpResponse:
    """Return all events that meet this, the newest first, as `csv` or `jsonl`."""
    content_type, write = FORMS[form]
    parts = _parts(met, write, using)
    # What goes wrong at once is answered with a page, and not with a file that ends too early.
    parts = chain([next(parts)], parts)
    return download(request, parts, f"readshift-events.{form}", content_type)


def _parts(met: Q, write: Callable[[Iterable[Event], bool], str], using: str) -> Iterator[str]:
    chunks, is_first = read_chunks(met, CHUNK, using), True
    while True:
        # Only around the reading: a body may be continued where a block that is left open means nothing.
        with own_work():
            chunk = next(chunks, None)
        if chunk or is_first:
            yield write(chunk or (), is_first)
        if not chunk:
            return
        is_first = False


def _csv(events: Iterable[Event], is_first: bool) -> str:
    out = StringIO()
    writer = csv.writer(out)
    if is_first:
        writer.writerow(COLUMNS)
    for event in events:
        content = Notice.of(event).content
        writer.writerow([safe_cell(_cell(content[column])) for column in COLUMNS])
    return out.getvalue()


def _json_lines(events: Iterable[Event], _: bool) -> str:
    return "".join(f"{json.dumps(Notice.of(event).content, ensure_ascii=False)}\n" for event in events)


def _cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


FORMS: dict[str, tuple[str, Callable[[Iterable[Event], bool], str]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "jsonl": ("application/x-ndjson; charset=utf-8", _json_lines),
}
