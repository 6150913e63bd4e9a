"""The overview, its news, and the buttons on it."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from admin_ui.frame import CHANGELIST, Section
from admin_ui.operating.actions import kill_switch_step, mode_step, share_step
from admin_ui.overview.page import Page, parse_minutes, read_page
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
            path("rules/<int:pk>/mode/", frame.action(self.mode), name="readshift_set_mode"),
            path("rules/<int:pk>/share/", frame.action(self.share), name="readshift_set_share"),
            path("kill-switch/", frame.action(self.kill_switch), name="readshift_kill_switch"),
        ]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Show how things stand."""
        page = self._read(request, with_rules=Powers.of(request.user).may_see_rules)
        return self.frame.render(request, "admin_ui/dashboard.html", {"title": "Readshift", "page": page})

    def live(self, request: HttpRequest) -> HttpResponse:
        """Return the parts that change by themselves: the strip, if its words changed, replicas, chart and tables."""
        page = self._read(request, with_rules=False)
        has_news = request.GET.get("seen") != page.seen
        return self.frame.render(request, "admin_ui/live.html", {"page": page, "has_news": has_news})

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

    def _read(self, request: HttpRequest, *, with_rules: bool) -> Page:
        return read_page(
            timezone.now(),
            parse_minutes(request.GET.get("minutes", "")),
            Powers.of(request.user),
            control_alias(),
            loaded_revision=request.GET.get("revision", ""),
            with_rules=with_rules,
        )
