"""The pages of the shadow reads, the downloads, and the buttons on them."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from admin_ui.downloads import download
from admin_ui.frame import Section, View
from admin_ui.permissions import VIEW_RULES, Powers
from admin_ui.shadow_pages.export import MOST_READS, as_csv, as_json, read_exported
from admin_ui.shadow_pages.filters import Asked, Filters, parse, reads_asked_for
from admin_ui.shadow_pages.listing import read_listing
from admin_ui.shadow_pages.looks import look_at_all_step, look_step, undo_step
from admin_ui.shadow_pages.repeating import repeat_step
from admin_ui.shadow_pages.report import read_report
from rollout.models import RoutingRule
from rollout.settings import get_settings
from routers.control import control_alias

LIST = "readshift_shadow_reads"
DETAIL = "readshift_shadow_read"


class ShadowPages(Section):
    """The list of compared reads, and one of them."""

    entry = ("Shadow reads", LIST)

    @classmethod
    def admits(cls, powers: Powers) -> bool:
        return powers.may_see_rules

    def urls(self) -> list[URLPattern]:
        page, action = self.frame.page, self.frame.action
        return [
            path("shadow/", page(self._to_those_who_see_rules(self.listing)), name=LIST),
            path("shadow/export.csv", page(self._to_those_who_see_rules(self.export_csv)), name=f"{LIST}_csv"),
            path("shadow/export.json", page(self._to_those_who_see_rules(self.export_json)), name=f"{LIST}_json"),
            path("shadow/looked-at/", action(self.look_at_all), name=f"{LIST}_looked_at"),
            path("shadow/<int:pk>/", page(self._to_those_who_see_rules(self.detail)), name=DETAIL),
            path("shadow/<int:pk>/looked-at/", action(self.look_at), name=f"{DETAIL}_looked_at"),
            path("shadow/<int:pk>/compare-again/", action(self.compare_again), name=f"{DETAIL}_again"),
            path("shadow/<int:pk>/not-looked-at/", action(self.undo), name=f"{DETAIL}_undo"),
        ]

    def listing(self, request: HttpRequest) -> HttpResponse:
        """Show compared reads, as the address asks for them."""
        listing = read_listing(request.GET, timezone.now(), control_alias())
        context = {"title": "Shadow reads", "listing": listing, "most": MOST_READS}
        return self.frame.section(request, "admin_ui/shadow_pages/list.html", context)

    def detail(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show one read, with how the answers differ."""
        may_see_values = Powers.of(request.user).may_lower
        report = read_report(pk, timezone.now(), control_alias(), may_see_values=may_see_values)
        if report is None:
            return self._say(request, "No such shadow read", _absent(pk), 404)
        context = {"title": f"Shadow read {pk}", "report": report, "may_see_values": may_see_values}
        return self.frame.section(request, "admin_ui/shadow_pages/detail.html", context)

    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """Send the reads that the address asks for as a table."""
        return _download(request, "csv", "text/csv; charset=utf-8", lambda rows, _: as_csv(rows))

    def export_json(self, request: HttpRequest) -> HttpResponseBase:
        """Send the same as one JSON object."""
        return _download(request, "json", "application/json", lambda rows, asked: as_json(rows, asked.filters.fields))

    def look_at(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mark one read as looked at."""
        back = self.frame.address(DETAIL, pk)
        return self.frame.act(request, lambda: look_step(pk, timezone.now(), control_alias()), {}, back)

    def look_at_all(self, request: HttpRequest) -> HttpResponse:
        """Mark all reads of a list as looked at, up to the newest that it has shown."""
        query = {name: request.POST.get(name, "") for name in Filters().fields}
        until = request.POST.get("until", "")
        back = f"{self.frame.address(LIST)}{parse(query, RoutingRule.objects.using(control_alias())).filters.address}"
        return self.frame.act(
            request, lambda: look_at_all_step(query, until, timezone.now(), control_alias()), {}, back
        )

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take back the look that marked a read."""
        return self.frame.act(request, lambda: undo_step(pk, control_alias()), {}, self.frame.address(DETAIL, pk))

    def compare_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have a worker compare a read once more."""
        back = self.frame.address(DETAIL, pk)
        return self.frame.act(request, lambda: repeat_step(pk, timezone.now(), control_alias()), {}, back)

    def _to_those_who_see_rules(self, view: Callable[..., HttpResponseBase]) -> View:
        """Shadow reads tell what rules read. Others are told why they see nothing."""

        @wraps(view)
        def seen(request: HttpRequest, **arguments: int) -> HttpResponseBase:
            if self.admits(Powers.of(request.user)):
                return view(request, **arguments)
            words = (
                f"Shadow reads tell what rules read, so they are shown to those who may view rules. Ask for the "
                f"permission “{VIEW_RULES}”."
            )
            return self._say(request, "Not for you", words, 403)

        return seen

    def _say(self, request: HttpRequest, title: str, words: str, status: int) -> TemplateResponse:
        context = {"title": title, "words": words}
        answer = self.frame.section(request, "admin_ui/shadow_pages/instead.html", context)
        answer.status_code = status
        return answer


def _absent(pk: int) -> str:
    settings = get_settings()
    return (
        f"There is no shadow read {pk}. Reads are kept for {settings.retention_days:g} days after they were compared, "
        f"the newest {settings.shadow_reports} of them."
    )


def _download(
    request: HttpRequest,
    ending: str,
    content_type: str,
    write: Callable[[Iterator[dict[str, Any]], Asked], Iterator[str]],
) -> HttpResponseBase:
    asked = parse(request.GET, RoutingRule.objects.using(control_alias()))
    if asked.problems:
        # A file does not tell that it holds more than was asked for.
        return HttpResponseBadRequest("\n".join(asked.problems), content_type="text/plain; charset=utf-8")
    rows = read_exported(reads_asked_for(asked, timezone.now(), control_alias()))
    return download(request, write(rows, asked), f"shadow-reads.{ending}", content_type)
