"""The overview, its news, and the buttons on it."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from admin_ui.frame import CHANGELIST, Section
from admin_ui.operating.actions import kill_switch_step, mode_step, share_step
from admin_ui.overview.events import read_events
from admin_ui.overview.listing import Search
from admin_ui.overview.page import read_first_steps, read_news, read_overview
from admin_ui.permissions import Powers
from routers.control import control_alias


class Overview(Section):
    """The first page."""

    entry = ("Overview", CHANGELIST)

    def urls(self) -> list[URLPattern]:
        frame = self.frame
        return [
            path("", frame.page(self.overview), name=CHANGELIST),
            path("live/", frame.fragment(self.live), name="readshift_live"),
            path("live/events/", frame.fragment(self.events), name="readshift_live_events"),
            path("first-steps/", frame.page(self.first_steps), name="readshift_first_steps"),
            path("rules/<int:pk>/mode/", frame.action(self.mode), name="readshift_set_mode"),
            path("rules/<int:pk>/share/", frame.action(self.share), name="readshift_set_share"),
            path("kill-switch/", frame.action(self.kill_switch), name="readshift_kill_switch"),
        ]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Show how things stand."""
        powers = Powers.of(request.user)
        overview = read_overview(timezone.now(), Search.of(request.GET.dict()), powers, control_alias())
        context = {"title": "Readshift", "overview": overview, "page": overview.page}
        return self.frame.render(request, "admin_ui/dashboard.html", context)

    def live(self, request: HttpRequest) -> HttpResponse:
        """Return the parts that change by themselves: the strip, if its words changed, replicas, chart and tables."""
        search = Search.of(request.GET.dict())
        page = read_news(timezone.now(), search, control_alias(), request.GET.get("revision", ""))
        has_news = request.GET.get("seen") != page.seen
        return self.frame.render(request, "admin_ui/live.html", {"page": page, "has_news": has_news})

    def events(self, request: HttpRequest) -> HttpResponse:
        """Return the last changes, for those who may see what was changed."""
        if not Powers.of(request.user).may_see_rules:
            raise PermissionDenied
        return self.frame.render(request, "admin_ui/overview/_events.html", {"events": read_events(control_alias())})

    def first_steps(self, request: HttpRequest) -> HttpResponse:
        """Show the way from "installed" to the first endpoint that is observed."""
        if not Powers.of(request.user).may_see_rules:
            raise PermissionDenied
        context = {"title": "First steps", "steps": read_first_steps(timezone.now(), control_alias())}
        return self.frame.section(request, "admin_ui/overview/first_steps.html", context)

    def mode(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a rule into another mode."""
        mode = request.POST.get("mode", "")
        return self.frame.act(request, lambda: mode_step(pk, mode), {"mode": mode})

    def share(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set the percentage of a rule's gate."""
        percent, seen = request.POST.get("percent", ""), request.POST.get("seen", "")
        return self.frame.act(request, lambda: share_step(pk, percent, control_alias(), seen), {"percent": percent})

    def kill_switch(self, request: HttpRequest) -> HttpResponse:
        """Send every read to the primary, or let the rules decide again."""
        state = request.POST.get("state", "")
        return self.frame.act(request, lambda: kill_switch_step(state, control_alias()), {"state": state})
