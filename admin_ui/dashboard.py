"""The dashboard and the actions on it, as one ModelAdmin, so that they work in any AdminSite and need no URLs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import ProgrammingError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from admin_ui.actions import Step, kill_switch_step, mode_step, share_step
from admin_ui.drains import drain_step, undrain_step
from admin_ui.page import Page, parse_minutes, read_page
from admin_ui.permissions import Powers
from rollout.acting import Acting, acting
from rollout.changes import UNDEFINED_TABLE
from rollout.models import Door, RoutingRule
from routers.control import control_alias
from routers.own_work import own_work

View = Callable[..., HttpResponse]

CONFIRMED = "1"


class DashboardAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """All pages of the dashboard. Register it, with `admin_ui.models.Dashboard`, on an AdminSite of your own."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("", self._page(self.changelist_view), name="readshift_admin_dashboard_changelist"),
            path("live/", self._fragment(self.live_view), name="readshift_live"),
            path("rules/<int:pk>/mode/", self._action(self.mode_view), name="readshift_set_mode"),
            path("rules/<int:pk>/share/", self._action(self.share_view), name="readshift_set_share"),
            path("replicas/drain/", self._action(self.drain_view), name="readshift_drain"),
            path("replicas/undrain/", self._action(self.undrain_view), name="readshift_undrain"),
            path("kill-switch/", self._action(self.kill_switch_view), name="readshift_kill_switch"),
        ]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return Powers.of(request.user).may_see

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return Powers.of(request.user).may_see

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the dashboard."""
        powers = Powers.of(request.user)
        page = self._read(request, powers, with_rules=powers.may_see_rules)
        context = {
            "title": "Readshift",
            "powers": powers,
            "page": page,
            "may_open_rules": self._rules_allow(request, "has_view_permission"),
            "may_add_rules": self._rules_allow(request, "has_add_permission"),
            **(extra_context or {}),
        }
        return self._render(request, "admin_ui/dashboard.html", context)

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """Return the parts that change by themselves: the strip, if its words changed, replicas, chart and tables."""
        page = self._read(request, Powers.of(request.user), with_rules=False)
        has_news = request.GET.get("seen") != page.seen
        return self._render(request, "admin_ui/live.html", {"page": page, "has_news": has_news})

    def mode_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a rule into another mode."""
        mode = request.POST.get("mode", "")
        return self._act(request, lambda: mode_step(pk, mode), {"mode": mode})

    def share_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set the percentage of a rule's gate."""
        percent = request.POST.get("percent", "")
        return self._act(request, lambda: share_step(pk, percent, control_alias()), {"percent": percent})

    def kill_switch_view(self, request: HttpRequest) -> HttpResponse:
        """Send every read to the primary, or let the rules decide again."""
        state = request.POST.get("state", "")
        return self._act(request, lambda: kill_switch_step(state, control_alias()), {"state": state})

    def drain_view(self, request: HttpRequest) -> HttpResponse:
        """Take a replica out of service."""
        alias, reason = request.POST.get("alias", ""), request.POST.get("reason", "").replace("\0", "").strip()
        by = request.user.get_username()
        return self._act(
            request, lambda: drain_step(alias, by, reason, timezone.now(), control_alias()), {"alias": alias}
        )

    def undrain_view(self, request: HttpRequest) -> HttpResponse:
        """Let a drained replica serve again."""
        alias = request.POST.get("alias", "")
        return self._act(request, lambda: undrain_step(alias, timezone.now(), control_alias()), {"alias": alias})

    def _act(self, request: HttpRequest, plan: Callable[[], Step], fields: dict[str, str]) -> HttpResponse:
        powers = Powers.of(request.user)
        if not powers.may_lower:
            raise PermissionDenied
        try:
            with transaction.atomic(using=control_alias()):
                step = plan()
                if step.change.raises_exposure:
                    if not powers.may_raise:
                        raise PermissionDenied
                    if request.POST.get("confirm") != CONFIRMED:
                        return self._ask(request, step, fields)
                why = request.POST.get("reason", "").replace("\0", "").strip()
                with acting(Acting(Door.DASHBOARD, request.user.get_username, why)):
                    summary = capfirst(step.apply().summary)
                self.log_change(request, step.subject(), f"{summary}.")
        except ValidationError as error:
            for message in error.messages:
                self.message_user(request, message, messages.ERROR)
        else:
            self.message_user(request, f"{summary}.", messages.SUCCESS)
            if step.warning:
                self.message_user(request, step.warning, messages.WARNING)
        return HttpResponseRedirect(self._address(request))

    def _ask(self, request: HttpRequest, step: Step, fields: dict[str, str]) -> HttpResponse:
        context = {"title": step.question, "step": step, "fields": fields, "action": request.path}
        return self._render(request, "admin_ui/confirm.html", context)

    def _read(self, request: HttpRequest, powers: Powers, *, with_rules: bool) -> Page:
        if not powers.may_see:
            raise PermissionDenied
        # An open dashboard asks every three seconds, and would otherwise show mostly itself where little else reads.
        with own_work():
            return read_page(
                timezone.now(),
                parse_minutes(request.GET.get("minutes", "")),
                powers,
                control_alias(),
                loaded_revision=request.GET.get("revision", ""),
                with_rules=with_rules,
            )

    def _render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        # The templates' addresses are those of this site, whatever it is called.
        request.current_app = self.admin_site.name
        site = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**site, "dashboard_url": self._address(request), **context})

    def _address(self, request: HttpRequest) -> str:  # noqa: ARG002 - every page asks with its request
        return reverse("admin:readshift_admin_dashboard_changelist", current_app=self.admin_site.name)

    def _rules_allow(self, request: HttpRequest, question: str) -> bool:
        if not self.admin_site.is_registered(RoutingRule):
            return False
        return bool(getattr(self.admin_site.get_model_admin(RoutingRule), question)(request))

    def _page(self, view: View) -> View:
        return self.admin_site.admin_view(require_GET(self._unless_tables_are_missing(view)))

    def _fragment(self, view: View) -> View:
        page = self._page(view)

        @wraps(view)
        def fragment(request: HttpRequest) -> HttpResponse:
            # A poll would follow the redirect and put the login page into the middle of the dashboard.
            if "HX-Request" in request.headers and not self.admin_site.has_permission(request):
                return HttpResponseClientRefresh()
            return page(request)

        return fragment

    def _action(self, view: View) -> View:
        guarded = self.admin_site.admin_view(self._unless_tables_are_missing(view))

        @wraps(view)
        def action(request: HttpRequest, **arguments: Any) -> HttpResponse:
            if not self.admin_site.has_permission(request):
                # Not back to the action: after the login that would be a GET, which it refuses.
                self.message_user(request, "You are not logged in, so nothing was changed.", messages.WARNING)
                login = reverse("admin:login", current_app=self.admin_site.name)
                return redirect_to_login(self._address(request), login)
            return guarded(request, **arguments)

        return require_POST(action)

    def _unless_tables_are_missing(self, view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **arguments: Any) -> HttpResponse:
            try:
                # A transaction of its own: a failed query must not spoil the one that ATOMIC_REQUESTS opens.
                with transaction.atomic(using=control_alias()):
                    return view(request, **arguments)
            except ProgrammingError as error:
                if getattr(error.__cause__, "sqlstate", None) != UNDEFINED_TABLE:
                    raise
            return self._render(request, "admin_ui/migrate.html", {"title": "Readshift", "alias": control_alias()})

        return guarded
