"""The form of a rule: what the model checks, and what only a running project knows."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connections

from admin_ui.permissions import OPERATE
from admin_ui.rules.conflicts import REFUSAL, Version, differences, digest_of, told_since
from admin_ui.rules.problems import possible_endpoints, unknown_endpoint_message
from admin_ui.rules.releases import release_words
from rollout import exposure
from rollout.deny import is_denied
from rollout.exposure import Change, Exposure
from rollout.gates import NOBODY
from rollout.loading import load_rule
from rollout.models import GateKind, RoutingRule, TargetKind
from rollout.models.rule import gate_exists, gate_model
from rollout.settings import get_settings
from routers.control import control_alias
from routers.endpoints import known_endpoints

EXPOSING_FIELDS = ("target_kind", "target", "mode", "gate_kind", "gate_name", "contract", "over_budget")
"""What of a rule decides how much it sends to replicas, and how old that may be."""

FORM_ALONE = ("create_flag", "confirm", "version")
"""The fields that no rule has."""

CONTRACTS = ("strict", "session", "bounded:5", "any")
"""The contracts that the form suggests, one of each kind."""


class SuggestingInput(forms.TextInput):
    """A text input with a list of names to choose from, which the browser offers without a script."""

    template_name = "admin_ui/widgets/suggestions.html"

    def __init__(self, suggest: Callable[[], Iterable[str]], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self._suggest = suggest

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["list"] = f"{name}-suggestions"
        context["suggestions"] = sorted(self._suggest())
        return context


def _targets() -> Iterable[str]:
    settings = get_settings()
    routable = (
        model._meta.label
        for model in apps.get_models()
        if not is_denied(model, settings.deny) and settings.cluster_for_app(model._meta.app_label)
    )
    return known_endpoints() | set(routable)


def _gate_names() -> Iterable[str]:
    kinds = (kind for kind in GateKind.values if kind)
    return {name for kind in kinds for name in gate_model(kind)._default_manager.values_list("name", flat=True)}


def _pools() -> Iterable[str]:
    return {replica.pool for replica in get_settings().replicas.values()}


class VersionField(forms.CharField):
    """What the form was loaded with. It is no content, so that another one is no change of the rule's own."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ARG002 - Django's signature
        return False


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """A rule, checked against the endpoints that the project has, and asking before more reads leave the primary.

    A rule that somebody else has changed since the form was loaded is not saved: the form comes back as it was filled
    in, with what is stored beside it, and the next press saves.

    may_raise: whether the user may send more reads to replicas; set by the admin for each request.
    makes_flag: whether saving has to create the flag first; known once the form is clean.
    """

    may_raise: ClassVar[bool] = False

    create_flag = forms.BooleanField(
        label="Create this flag",
        required=False,
        help_text="If waffle has no flag of that name, create it with the rule. It is closed until you open it.",
    )
    confirm = forms.BooleanField(label="Yes, send more reads to replicas", required=False, widget=forms.HiddenInput)
    version = VersionField(required=False)

    class Meta:
        model = RoutingRule
        fields: ClassVar = [
            "target_kind",
            "target",
            "mode",
            "gate_kind",
            "gate_name",
            "pool",
            "contract",
            "over_budget",
            "shadow_percent",
            "shadow_per_second",
            "note",
        ]
        widgets: ClassVar = {
            "target": SuggestingInput(_targets, {"class": "vTextField"}),
            "gate_name": SuggestingInput(_gate_names, {"class": "vTextField"}),
            "pool": SuggestingInput(_pools, {"class": "vTextField"}),
            "contract": SuggestingInput(lambda: CONTRACTS, {"class": "vTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.makes_flag = False
        if self.instance.pk is not None and not self.is_bound:
            self.initial["version"] = str(Version.of(self.instance, control_alias()))

    def full_clean(self) -> None:
        super().full_clean()
        if self.makes_flag:
            # The model refuses a flag that does not exist, and this one is about to.
            self.errors.pop("gate_name", None)

    def clean(self) -> dict[str, Any] | None:
        super().clean()
        data = self.cleaned_data
        self._check_version(data)
        is_endpoint = data.get("target_kind") == TargetKind.ENDPOINT
        if is_endpoint and (target := data.get("target")) and self._is_retargeted:
            using = control_alias()
            if target not in possible_endpoints([target], using):
                self.add_error("target", unknown_endpoint_message(target, using))
        is_flag = data.get("gate_kind") == GateKind.FLAG
        if is_flag and data.get("create_flag") and (name := data.get("gate_name")):
            self.makes_flag = not gate_exists(GateKind.FLAG, name)
        if not self.errors:
            self._check_exposure(data)
        return data

    def _check_version(self, data: dict[str, Any]) -> None:
        """Refuse to write over what somebody else has saved meanwhile, once."""
        version, using = Version.parse(data.get("version", "")), control_alias()
        if self.instance.pk is None or version is None:
            return
        rows = RoutingRule.objects.using(using).filter(pk=self.instance.pk)
        # Until the end of the admin's transaction, so that nobody saves in between.
        stored = (rows.select_for_update() if connections[using].in_atomic_block else rows).first()
        if stored is None or digest_of(stored) == version.digest:
            return
        if not (stands := differences(stored, data, RuleForm.Meta.fields)):
            return
        self.add_error(None, [REFUSAL, *told_since(stored, version, using)])
        for name, value in stands.items():
            self.add_error(name, f"Stored now: “{value}”." if value not in ("", None) else "Stored now: nothing.")
        typed = {name: self.data[name] for name in self.data}
        self.data = typed | {self.add_prefix("version"): str(Version.of(stored, using))}

    @property
    def _is_retargeted(self) -> bool:
        return self.instance.pk is None or bool({"target", "target_kind"} & set(self.changed_data))

    def _check_exposure(self, data: dict[str, Any]) -> None:
        using = control_alias()
        stored = None if self._is_retargeted else RoutingRule.objects.using(using).filter(pk=self.instance.pk).first()
        change = Change(
            "",
            before=exposure.of_rule(load_rule(stored, using)) if stored else Exposure(NOBODY),
            after=exposure.of_rule(load_rule(RoutingRule(**{name: data[name] for name in EXPOSING_FIELDS}), using)),
        )
        rise = " and ".join(filter(None, (change.rise, self._release(using))))
        if not rise:
            return
        if not self.may_raise:
            raise ValidationError(
                f"This would {rise}. That takes the permission “{OPERATE}”. Choose a mode, gate, contract "
                f"or answer over budget that does not, or ask somebody who has it."
            )
        if not data.get("confirm"):
            self.fields["confirm"].widget = forms.CheckboxInput()
            self.add_error("confirm", f"This would {rise}. Tick the box and save again to go ahead.")

    def _release(self, using: str) -> str:
        """Say, to continue “this would”, whose reads may leave the primary once the rule is for another target."""
        stored = RoutingRule.objects.using(using).filter(pk=self.instance.pk).first() if self._is_retargeted else None
        return release_words(stored, using) if stored is not None else ""
