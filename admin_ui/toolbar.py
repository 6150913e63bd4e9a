"""A panel for django-debug-toolbar: which database answered each query of a request, and why.

It needs django-debug-toolbar 6 or newer, which Readshift itself does not. Name it in the project's settings:

    from debug_toolbar.settings import PANELS_DEFAULTS
    DEBUG_TOOLBAR_PANELS = [*PANELS_DEFAULTS, "admin_ui.toolbar.ReadshiftPanel"]
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import urlencode

from debug_toolbar.panels import Panel
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from rollout.models import TallyKind
from rollout.reasons import Reason
from rollout.settings import get_settings
from routers import recording
from routers.recording import Query, Recording
from routers.series import Series
from routers.statements import outline
from routers.subjects import RequestParty

LONGEST_STATEMENT = 120
"""Characters of a statement that are shown, without its values."""


class ReadshiftPanel(Panel):
    """Shows for each query the database, the reason, endpoint and model, and for all of them how many there were."""

    title: ClassVar[str] = "Readshift"
    template: ClassVar[str] = "admin_ui/toolbar/panel.html"
    is_async = True

    _recording: Recording | None = None

    @property
    def nav_subtitle(self) -> str:
        stats: dict[str, Any] = self.get_stats()  # type: ignore[no-untyped-call]
        if not stats:
            return ""
        return f"{stats['on_replicas']:,} of {stats['count']:,} queries on replicas"

    def enable_instrumentation(self) -> None:
        if self._recording is None:
            self._recording = recording.begin()

    def disable_instrumentation(self) -> None:
        if self._recording is not None:
            recording.end(self._recording)

    def generate_stats(self, request: HttpRequest, response: HttpResponse) -> None:  # noqa: ARG002 - the toolbar's signature
        if self._recording is not None:
            self.record_stats(_stats(self._recording, request))  # type: ignore[no-untyped-call]


def _stats(seen: Recording, request: HttpRequest) -> dict[str, Any]:
    """Return what the template shows, as JSON can hold it: the toolbar stores it."""
    actor, counts = _actor(request), seen.counts()
    replicas = get_settings().replicas
    return {
        "actor": actor,
        "count": counts.total(),
        "on_replicas": sum(count for series, count in counts.items() if series.alias in replicas),
        "left_out": seen.left_out,
        "totals": _totals(counts.items()),
        "queries": [_row(query, actor, request.method or "GET") for query in seen.queries],
    }


def _totals(counts: Iterable[tuple[Series, int]]) -> list[dict[str, Any]]:
    totals: Counter[tuple[str, str]] = Counter()
    for series, count in counts:
        totals[series.alias, series.reason] += count
    return [
        {"alias": alias, "reason": reason, "words": Reason(reason).label, "count": count}
        for (alias, reason), count in totals.most_common()
    ]


def _row(query: Query, actor: str, method: str) -> dict[str, Any]:
    series = query.series
    return {
        "alias": series.alias,
        "reason": series.reason,
        "words": Reason(series.reason).label,
        "candidate": series.candidate,
        "endpoint": series.endpoint,
        "model": series.model,
        "is_write": series.kind == TallyKind.WRITE,
        "is_replayed": series.reason == Reason.REPLAYED,
        "milliseconds": round(query.seconds * 1000, 2),
        "statement": outline(query.sql, LONGEST_STATEMENT),
        "address": _address(series, actor, method),
    }


def _address(series: Series, actor: str, method: str) -> str:
    """Return where the read is explained; empty for what no endpoint and model are known of, and without the page."""
    if not series.endpoint or not series.model or series.kind == TallyKind.WRITE:
        return ""
    try:
        page = reverse("admin:readshift_explain")
    except NoReverseMatch:
        return ""
    asked = {"endpoint": series.endpoint, "model": series.model, "actor": actor, "method": method}
    return f"{page}?{urlencode(asked)}"


def _actor(request: HttpRequest) -> str:
    """Return the actor's key. A function of the project's own may ask a database, which would be the panel's doing."""
    return "" if get_settings().actor is not None else RequestParty(request).actor or ""
