"""The page of one rule, its news, and the buttons on it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst
from django_htmx.http import HTMX_STOP_POLLING, HttpResponseClientRefresh

from admin_ui.frame import CHANGELIST, Section
from admin_ui.operating.plans import roll_back_step, start_step, steer_step
from admin_ui.permissions import Powers
from admin_ui.rule_page.lengths import LENGTHS, parse_length
from admin_ui.rule_page.page import Stored, find_rule, read_findings, read_rule_page
from routers.control import control_alias


class RulePage(Section):
    """The page of one rule. It is reached from the rules that other pages list."""

    @classmethod
    def admits(cls, powers: Powers) -> bool:
        return powers.may_see_rules

    def urls(self) -> list[URLPattern]:
        frame = self.frame
        return [
            path("rules/<int:pk>/", frame.page(self.rule), name="readshift_rule"),
            path("rules/<int:pk>/live/", frame.fragment(self.live), name="readshift_rule_live"),
            path("rules/<int:pk>/plan/", frame.action(self.start), name="readshift_start_plan"),
            path("rules/<int:pk>/roll-back/", frame.action(self.roll_back), name="readshift_roll_back_rule"),
            path("plans/<int:pk>/steer/", frame.action(self.steer), name="readshift_steer_plan"),
        ]

    def rule(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show everything about a rule."""
        found = self._find(request, pk)
        length, now, using = parse_length(request.GET.get("hours", "")), timezone.now(), control_alias()
        page = read_rule_page(found, length, Powers.of(request.user), now, using) if found is not None else None
        if found is None or page is None:
            messages.error(request, "That rule no longer exists.")
            return HttpResponseRedirect(self.frame.address(CHANGELIST))
        context = {
            "title": capfirst(str(found.rule)),
            "page": page,
            "found": read_findings(found, now, using),
            "length": length,
            "address": self.frame.address("readshift_rule", pk),
        }
        return self.frame.section(request, "admin_ui/rule_page/rule.html", context)

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the parts that change by themselves, and the last time that they do if the plan has ended."""
        found = self._find(request, pk)
        length, now, using = parse_length(request.GET.get("hours", "")), timezone.now(), control_alias()
        # A longer history changes by less than one can see, and costs most of what there is to read.
        is_short = length == LENGTHS[0]
        page = None
        if found is not None:
            page = read_rule_page(found, length, Powers.of(request.user), now, using, with_history=is_short)
        if page is None:
            return HttpResponseClientRefresh()
        context = {
            "page": page,
            "has_news": request.GET.get("seen") != page.seen,
            "length": length,
            "address": self.frame.address("readshift_rule", pk),
        }
        response = self.frame.render(request, "admin_ui/rule_page/live.html", context)
        if not page.is_live:
            response.status_code = HTMX_STOP_POLLING
        return response

    def start(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Start a plan from a template."""
        template = request.POST.get("template", "")
        return self.frame.act(request, lambda: start_step(pk, template, control_alias()), {"template": template})

    def steer(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Pause, resume, advance or finish a plan."""
        do, seen = request.POST.get("do", ""), request.POST.get("seen", "")
        return self.frame.act(
            request, lambda: steer_step(pk, do, seen, timezone.now(), control_alias()), {"do": do, "seen": seen}
        )

    def roll_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the reads of a rule back to the primary."""
        return self.frame.act(request, lambda: roll_back_step(pk, control_alias()), {})

    def _find(self, request: HttpRequest, pk: int) -> Stored | None:
        """Return a rule, or None if there is none. Raises PermissionDenied."""
        self.refuse_others(request)
        return find_rule(pk, control_alias())
