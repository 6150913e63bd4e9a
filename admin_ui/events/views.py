"""The pages of the record."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from admin_ui.events.export import export
from admin_ui.events.filters import Filter, FilterForm, query_string
from admin_ui.events.queries import conditions, place_of, read_event, read_events
from admin_ui.events.words import TOLD_CHANGES, EventWords
from admin_ui.frame import Section
from admin_ui.permissions import Powers
from admin_ui.places import Place
from routers.control import control_alias

PAGE = 50


class Events(Section):
    """Who changed what, when, through which door and why."""

    entry = ("Events", "readshift_events")

    @classmethod
    def admits(cls, powers: Powers) -> bool:
        return powers.may_see_events

    def urls(self) -> list[URLPattern]:
        page = self.frame.page
        return [
            path("events/", page(self.events), name="readshift_events"),
            path("events/events.csv", page(self.as_csv), name="readshift_events_csv"),
            path("events/events.jsonl", page(self.as_json_lines), name="readshift_events_jsonl"),
            path("events/<int:pk>/", page(self.event), name="readshift_event"),
        ]

    def events(self, request: HttpRequest) -> TemplateResponse:
        """List the events that the filter leaves, the newest first, a page of them."""
        self.refuse_others(request)
        using, form = control_alias(), FilterForm(request.GET)
        before = Place.parse(request.GET.get("before", ""))
        found = read_events(conditions(Filter.of(form), using), PAGE + 1, using, before) if form.is_valid() else []
        has_more = len(found) > PAGE
        context = {
            "title": "Events",
            "form": form,
            "events": [EventWords.of(event) for event in found[:PAGE]],
            "listed": TOLD_CHANGES,
            "zone": timezone.get_current_timezone_name(),
            "filter_query": query_string(form),
            "older_query": query_string(form, before=str(place_of(found[PAGE - 1]))) if has_more else "",
            "is_newest": before is None,
        }
        return self.frame.section(request, "admin_ui/events/list.html", context)

    def event(self, request: HttpRequest, pk: int) -> TemplateResponse:
        """Show one event with all that it says."""
        self.refuse_others(request)
        found = read_event(pk, control_alias())
        if found is None:
            raise Http404(f"There is no event {pk}.")
        context = {"title": f"Event {pk}", "event": EventWords.of(found)}
        return self.frame.section(request, "admin_ui/events/event.html", context)

    def as_csv(self, request: HttpRequest) -> HttpResponseBase:
        """Send the events that the filter leaves as a spreadsheet."""
        return self._export(request, "csv")

    def as_json_lines(self, request: HttpRequest) -> HttpResponseBase:
        """Send the events that the filter leaves, one JSON object a line."""
        return self._export(request, "jsonl")

    def _export(self, request: HttpRequest, file_type: str) -> HttpResponseBase:
        self.refuse_others(request)
        form, using = FilterForm(request.GET), control_alias()
        if not form.is_valid():
            # A file of all events, or of none, would look like the answer. The page says what is wrong.
            refused = self.events(request)
            refused.status_code = 400
            return refused
        return export(request, conditions(Filter.of(form), using), file_type, using)
