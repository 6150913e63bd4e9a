"""What all pages of the dashboard share: who may come in, missing tables, how they are drawn, and how a button acts."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError, ProgrammingError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from admin_ui.operating.actions import Step
from admin_ui.overview.setup import pending_migrations
from admin_ui.permissions import Powers
from rollout import rollback
from rollout.acting import Acting, acting
from rollout.changes import UNDEFINED_COLUMN, UNDEFINED_TABLE
from rollout.loading import is_kill_switch_on
from rollout.models import Door, RoutingRule
from rollout.settings import get_settings
from rollout.waiting import has_waited_in_vain, limit_waiting
from routers.control import control_alias
from routers.own_work import own_work

View = Callable[..., HttpResponseBase]

CONFIRMED = "1"
HELD = "Somebody else holds what this would change, so nothing was changed. Try again."
CHANGELIST = "readshift_admin_dashboard_changelist"


@dataclass(frozen=True, slots=True)
class Entry:
    """One page in the navigation. is_here: it is the one that is shown."""

    label: str
    address: str
    is_here: bool


class Frame:
    """The pages of one AdminSite. Each section wraps its views in `page`, `fragment` or `action`."""

    def __init__(self, model_admin: "admin.ModelAdmin[Any]", sections: Iterable["type[Section]"]) -> None:
        """sections: all that have pages, in the order of the navigation."""
        self._model_admin = model_admin
        self._sections = tuple(sections)
        self._site = model_admin.admin_site

    def page(self, view: View) -> View:
        """Wrap a view that shows a page to whoever may see the dashboard. It only reads."""
        return self._site.admin_view(require_GET(self._unless_tables_are_missing(self._for_those_who_may_see(view))))

    def fragment(self, view: View) -> View:
        """Wrap a view that returns a part of a page, for htmx."""
        page = self.page(view)

        @wraps(view)
        def fragment(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            # A poll would follow the redirect and put the login page into the middle of the dashboard.
            if "HX-Request" in request.headers and not self._site.has_permission(request):
                return HttpResponseClientRefresh()
            return page(request, **arguments)

        return fragment

    def action(self, view: View) -> View:
        """Wrap a view that changes something: POST alone."""
        guarded = self._site.admin_view(self._unless_tables_are_missing(view))

        @wraps(view)
        def action(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            if not self._site.has_permission(request):
                # Not back to the action: after the login that would be a GET, which it refuses.
                self._model_admin.message_user(
                    request, "You are not logged in, so nothing was changed.", messages.WARNING
                )
                login = reverse("admin:login", current_app=self._site.name)
                return redirect_to_login(self.address(CHANGELIST), login)
            return guarded(request, **arguments)

        return require_POST(action)

    def act(
        self, request: HttpRequest, plan: Callable[[], Step], fields: dict[str, str], back: str = ""
    ) -> HttpResponse:
        """Do what a button asks for, once it is confirmed if it raises exposure, and go back to a page.

        plan: called in the transaction in which the step is applied, and which waits for nobody for long. fields: what
        the question hands on to the answer.
        back: the address to return to; the page of ours that the form names unless it is given, else the overview.
        """
        powers = Powers.of(request.user)
        if not powers.may_lower:
            raise PermissionDenied
        back = back or self._named_page(request)
        why = request.POST.get("reason", "").replace("\0", "").strip()
        try:
            with _short_transaction(control_alias()):
                step = plan()
                if step.raises:
                    if not powers.may_raise:
                        raise PermissionDenied
                    if request.POST.get("confirm") != CONFIRMED or step.news:
                        return self._ask(request, step, {**fields, **step.seen, "reason": why, "back": back})
                with acting(Acting(Door.DASHBOARD, request.user.get_username, why)):
                    summary = capfirst(step.apply().summary)
                self._model_admin.log_change(request, step.subject(), f"{summary}.")
        except ValidationError as error:
            for message in error.messages:
                self._model_admin.message_user(request, message, messages.ERROR)
        else:
            self._model_admin.message_user(request, f"{summary}.", messages.SUCCESS)
            for warning in filter(None, (step.news, step.warning)):
                self._model_admin.message_user(request, warning, messages.WARNING)
        return HttpResponseRedirect(back)

    def render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        """Draw a template within the admin's own page, or a fragment by itself."""
        # The templates' addresses are those of this site, whatever it is called.
        request.current_app = self._site.name
        powers = Powers.of(request.user)
        shared = {
            **self._site.each_context(request),
            "dashboard_url": self.address(CHANGELIST),
            "navigation": [
                Entry(label, self.address(name), is_here=self.address(name) == request.path)
                for label, name in (each.entry for each in self._sections if each.entry and each.admits(powers))
            ],
            "powers": powers,
            "may_open_rules": self._rules_allow(request, "has_view_permission"),
            "may_add_rules": self._rules_allow(request, "has_add_permission"),
        }
        return TemplateResponse(request, template, {**shared, **context})

    def section(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        """Draw one of the pages beside the overview, which all have the kill switch in reach."""
        shared = {
            "is_routing_on": is_kill_switch_on(control_alias()),
            "is_disabled": not get_settings().enabled,
            **context,
        }
        return self.render(request, template, shared)

    def address(self, name: str, *arguments: Any) -> str:
        """Return the address of one of the pages in this site, whatever the site is called."""
        return reverse(f"admin:{name}", args=arguments, current_app=self._site.name)

    def _named_page(self, request: HttpRequest) -> str:
        """Return the page that the form says it is on, if that is one of ours; the overview otherwise."""
        overview, page = self.address(CHANGELIST), request.POST.get("back", "")
        is_ours = page.startswith(overview) and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
        return page if is_ours else overview

    def _ask(self, request: HttpRequest, step: Step, fields: dict[str, str]) -> HttpResponse:
        context = {
            "title": step.question,
            "step": step,
            "fields": {name: value for name, value in fields.items() if value},
            "action": request.path,
            "back": fields["back"],
        }
        return self.render(request, "admin_ui/confirm.html", context)

    def _rules_allow(self, request: HttpRequest, question: str) -> bool:
        if not self._site.is_registered(RoutingRule):
            return False
        return bool(getattr(self._site.get_model_admin(RoutingRule), question)(request))

    def _for_those_who_may_see(self, view: View) -> View:
        @wraps(view)
        def seen(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            if not Powers.of(request.user).may_see:
                raise PermissionDenied
            # An open dashboard asks every three seconds, and would show mostly itself where little else reads.
            with own_work():
                return view(request, **arguments)

        return seen

    def _unless_tables_are_missing(self, view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            try:
                # A transaction of its own: a failed query must not spoil the one that ATOMIC_REQUESTS opens.
                with transaction.atomic(using=control_alias()):
                    return view(request, **arguments)
            except ProgrammingError as error:
                sqlstate = getattr(error.__cause__, "sqlstate", None)
                if sqlstate not in {UNDEFINED_TABLE, UNDEFINED_COLUMN}:
                    raise
                is_behind = sqlstate == UNDEFINED_COLUMN
                if is_behind and not any(pending_migrations(control_alias())):
                    raise
            if "HX-Request" in request.headers:
                return HttpResponseClientRefresh()  # As in `fragment`: no whole page into the middle of one.
            context = {"title": "Readshift", "alias": control_alias(), "is_behind": is_behind}
            # The tables of the release before suffice for the switch, which has to be in reach meanwhile.
            context |= {"is_routing_on": is_kill_switch_on(control_alias())} if is_behind else {}
            return self.render(request, "admin_ui/migrate.html", context)

        return guarded


@contextmanager
def _short_transaction(using: str) -> Iterator[None]:
    """Open a transaction that waits for nobody for long. Raises ValidationError if somebody holds what it changes."""
    try:
        with transaction.atomic(using=using):
            limit_waiting(using, rollback.LONGEST_WAIT_SECONDS)
            yield
    except OperationalError as error:
        if not has_waited_in_vain(error):
            raise
        raise ValidationError(HELD) from error


class Section(ABC):
    """A part of the dashboard with pages of its own.

    entry: its label and the name of its address in the navigation, or None if it is reached from another page alone.
    """

    entry: ClassVar[tuple[str, str] | None] = None

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    @classmethod
    def admits(cls, powers: Powers) -> bool:
        """Say whether the navigation leads somebody here. The views of a section that says no refuse them as well."""
        return powers.may_see

    def refuse_others(self, request: HttpRequest) -> None:
        """Raise PermissionDenied for whom the section does not admit."""
        if not self.admits(Powers.of(request.user)):
            raise PermissionDenied

    @abstractmethod
    def urls(self) -> list[URLPattern]:
        """Return its addresses, below that of the dashboard."""
