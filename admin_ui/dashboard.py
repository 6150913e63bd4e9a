"""The dashboard as one ModelAdmin, so that it works in any AdminSite and needs no URLs of the project's own."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from admin_ui.advice.views import AdvicePages
from admin_ui.events.views import Events
from admin_ui.explain.views import Explaining
from admin_ui.frame import Frame, Section
from admin_ui.overview.views import Overview
from admin_ui.permissions import Powers
from admin_ui.readiness.views import Replicas
from admin_ui.rule_page.views import RulePage
from admin_ui.shadow_pages.views import ShadowPages


class DashboardAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """All pages of the dashboard. Register it, with `admin_ui.models.Dashboard`, on an AdminSite of your own."""

    sections: ClassVar[tuple[type[Section], ...]] = (
        Overview,
        RulePage,
        ShadowPages,
        Replicas,
        AdvicePages,
        Explaining,
        Events,
    )

    def get_urls(self) -> list[URLPattern]:
        frame = Frame(self, self.sections)
        return [address for section in self.sections for address in section(frame).urls()]

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
