"""The admin of the rules."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from admin_ui.permissions import Powers
from admin_ui.rules.forms import FORM_ALONE, RuleForm
from admin_ui.rules.problems import warnings_about
from admin_ui.rules.releases import release_words
from rollout import exposure, operations
from rollout.loading import load_policy
from rollout.models import RoutingRule
from routers.control import control_alias


class RoutingRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Lists the rules with their share, and says on each rule's page what is wrong with it."""

    form = RuleForm
    list_display = ("target", "target_kind", "short_mode", "gate", "share", "contract", "pool")
    list_filter = ("mode", "target_kind", "gate_kind", "pool", "over_budget")
    search_fields = ("target", "gate_name", "note")
    search_help_text = "Target, gate or note"
    change_form_template = "admin_ui/rule_form.html"
    change_list_template = "admin_ui/rule_list.html"
    fieldsets = (
        ("What", {"fields": ("target_kind", "target", "version")}),
        ("How", {"fields": ("mode", "contract", "over_budget", "confirm", "pool")}),
        ("For whom", {"fields": ("gate_kind", "gate_name", "create_flag")}),
        (
            "Shadow reads",
            {
                "fields": ("shadow_percent", "shadow_per_second"),
                "description": "Compares answers of the primary and of a replica in the background, and moves no read.",
            },
        ),
        (None, {"fields": ("note",)}),
    )

    @admin.display(description="mode", ordering="mode")
    def short_mode(self, rule: RoutingRule) -> str:
        return rule.mode

    @admin.display(ordering="gate_name", empty_value="none")
    def gate(self, rule: RoutingRule) -> str | None:
        return f"{rule.gate_kind} {rule.gate_name}" if rule.gate_kind else None

    @admin.display(description="share on replicas")
    def share(self, rule: RoutingRule) -> str:
        return str(rule.share)  # type: ignore[attr-defined]  # set by get_changelist_instance

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read the shares of all rules at once, rather than with each line."""
        changelist = super().get_changelist_instance(request)
        policy = load_policy(control_alias())
        shares = {(rule.target_kind, rule.target): exposure.of_rule(rule) for rule in policy.rules}
        for rule in changelist.result_list:
            rule.share = shares.get((rule.target_kind, rule.target), "")
        return changelist

    def get_form(
        self, request: HttpRequest, obj: RoutingRule | None = None, change: bool = False, **kwargs: Any
    ) -> type[RuleForm]:
        form = cast("type[RuleForm]", super().get_form(request, obj, change, **kwargs))
        form.may_raise = Powers.of(request.user).may_raise
        return form

    def get_fieldsets(self, request: HttpRequest, obj: RoutingRule | None = None) -> Any:
        """Leave out what is of the form alone where there is none: whoever only looks has nothing to confirm."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (name, {**options, "fields": tuple(each for each in options["fields"] if each not in FORM_ALONE)})
            for name, options in fieldsets
        ]

    def has_delete_permission(self, request: HttpRequest, obj: RoutingRule | None = None) -> bool:
        """Let those alone who may raise delete a rule that keeps other rules' reads on the primary."""
        if not super().has_delete_permission(request, obj):
            return False
        return obj is None or Powers.of(request.user).may_raise or not release_words(obj, control_alias())

    def save_model(self, request: HttpRequest, obj: RoutingRule, form: RuleForm, change: bool) -> None:
        """Save the rule, and first the flag that it asks for: the admin runs both in one transaction."""
        if form.makes_flag:
            operations.create_flag(obj.gate_name)
            self.message_user(request, f"Created the flag “{obj.gate_name}”. It is closed for everybody.")
        super().save_model(request, obj, form, change)
        if "_continue" not in request.POST:
            for warning in warnings_about(obj, control_alias()):
                self.message_user(request, warning, messages.WARNING)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        rule = self.get_object(request, object_id) if object_id and request.method == "GET" else None
        warnings = warnings_about(rule, control_alias()) if rule else ()
        context = {"rule_warnings": warnings, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            address = reverse("admin:readshift_admin_dashboard_changelist", current_app=self.admin_site.name)
        except NoReverseMatch:  # This site has the rules without the dashboard.
            address = ""
        return super().changelist_view(request, {"dashboard_url": address, **(extra_context or {})})
