"""The rule: what may move, how, and who decides for whom."""

from typing import ClassVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from waffle import get_waffle_flag_model, get_waffle_sample_model, get_waffle_switch_model

from rollout.contracts import LONGEST, SESSION, parse_contract
from rollout.deny import is_denied
from rollout.options import DEFAULT_POOL
from rollout.settings import get_settings


class TargetKind(models.TextChoices):
    ENDPOINT = "endpoint", "Endpoint"
    MODEL = "model", "Model"


class Mode(models.TextChoices):
    PIN = "pin", "Pin: always the primary"
    OBSERVE = "observe", "Observe: decide and count, still read the primary"
    ROUTE = "route", "Route: read from replicas"


class OverBudget(models.TextChoices):
    """What happens to a read that falls back to the primary when the process's budget for that is used up."""

    PRIMARY = "primary", "Primary: read the primary all the same"
    STALE = "stale", "Stale: read a replica that is too far behind or lacks what the actor wrote"
    SHED = "shed", "Shed: answer 503 with Retry-After"


class GateKind(models.TextChoices):
    NONE = "", "No gate: on for everyone"
    FLAG = "flag", "Waffle flag"
    SWITCH = "switch", "Waffle switch"
    SAMPLE = "sample", "Waffle sample"


def gate_model(kind: str) -> type[models.Model]:
    """Return waffle's model for this kind of gate, custom flag models included. `kind` is a `GateKind` with a table."""
    models_by_kind: dict[str, type[models.Model]] = {
        GateKind.FLAG: get_waffle_flag_model(),
        GateKind.SWITCH: get_waffle_switch_model(),
        GateKind.SAMPLE: get_waffle_sample_model(),
    }
    return models_by_kind[kind]


class RoutingRule(models.Model):
    """Moves the reads of one endpoint or one model, for the actors that its gate is on for.

    A read that matches both an endpoint's rule and a model's rule goes to a replica only if both say so.
    """

    target_kind = models.CharField("target", max_length=8, choices=TargetKind, default=TargetKind.ENDPOINT)
    target = models.CharField(
        "name",
        max_length=200,
        help_text="An endpoint, such as shop:product-list or a task's name; or a model, such as shop.Product.",
    )
    mode = models.CharField(max_length=7, choices=Mode, default=Mode.OBSERVE)
    gate_kind = models.CharField("gate", max_length=6, choices=GateKind, default=GateKind.FLAG, blank=True)
    gate_name = models.CharField(
        "gate's name", max_length=100, blank=True, help_text="The name of the flag, switch or sample in waffle."
    )
    pool = models.CharField(
        max_length=63,
        default=DEFAULT_POOL,
        help_text="The group of replicas that serves it, as named in the READSHIFT setting.",
    )
    contract = models.CharField(
        "freshness contract",
        max_length=LONGEST,
        default=str(SESSION),
        help_text="How old an answer may be. strict: always ask the primary. session: show nobody less than they have "
        "written or seen before. bounded:5: the same, and nothing older than 5 seconds. any: show what a replica has, "
        "however old.",
    )
    over_budget = models.CharField(
        "over budget",
        max_length=7,
        choices=OverBudget,
        default=OverBudget.PRIMARY,
        help_text="What happens to a read that no replica may serve when the process has used up its budget for reads "
        "that fall back to the primary. primary: it is read there all the same. stale: a replica answers although it "
        "is too far behind or lacks what the actor wrote. shed: the answer is 503 with Retry-After.",
    )
    shadow_percent = models.DecimalField(
        "shadow reads, percent",
        max_digits=5,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="The share of its reads that are also compared: a worker runs them again, on the primary and on a "
        "replica. It works while observing, before anything moves, and while routing.",
    )
    shadow_per_second = models.PositiveIntegerField(
        "shadow reads, at most per second",
        default=20,
        validators=[MinValueValidator(1)],
        help_text="How many reads a process captures for this rule in a second at most, whatever the percent.",
    )
    note = models.TextField(blank=True, help_text="Why this rule exists, for whoever is on call.")
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["target_kind", "target"]
        verbose_name = "routing rule"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["target_kind", "target"],
                name="readshift_one_rule_per_target",
                violation_error_message="There is a rule for this target already. Change that one: two rules for one "
                "target could contradict each other.",
            ),
            models.CheckConstraint(
                condition=models.Q(gate_kind="", gate_name="") | (~models.Q(gate_kind="") & ~models.Q(gate_name="")),
                name="readshift_gate_has_kind_and_name",
                violation_error_message="Name the flag, switch or sample, or choose “No gate” and leave the "
                "name empty.",
            ),
            # A word that no code knows, written by hand, must not keep every process from reading its policy.
            models.CheckConstraint(
                condition=models.Q(
                    target_kind__in=TargetKind.values,
                    mode__in=Mode.values,
                    gate_kind__in=GateKind.values,
                    over_budget__in=OverBudget.values,
                ),
                name="readshift_known_words",
            ),
            models.CheckConstraint(
                condition=models.Q(shadow_percent__gte=0, shadow_percent__lte=100, shadow_per_second__gte=1),
                name="readshift_shadow_rate",
            ),
            # The number is for the code to judge: a contract that it cannot read counts as strict.
            models.CheckConstraint(
                condition=models.Q(contract__regex=r"^(strict|session|any|bounded:[0-9.]+)$"),
                name="readshift_known_contract",
            ),
        ]
        permissions: ClassVar = [
            ("operate_routing", "Can raise the share of reads on replicas"),
            ("rollback_routing", "Can take reads back to the primary"),
        ]

    def __str__(self) -> str:
        return f"{self.target_kind} {self.target}"

    def clean(self) -> None:
        """Refuse a target, gate, pool or contract that does not exist, saying what does; spell the contract one way."""
        errors = {}
        if self.target_kind == TargetKind.MODEL and (problem := _model_problem(self.target)):
            errors["target"] = problem
        if self.gate_kind and self.gate_name and not gate_exists(self.gate_kind, self.gate_name):
            errors["gate_name"] = (
                f"Waffle has no {self.gate_kind} named “{self.gate_name}”. Create it first, or correct the name."
            )
        pools = {pool for cluster in get_settings().clusters.values() for pool in cluster.pools}
        if self.pool not in pools:
            known = ", ".join(sorted(pools)) or "none: READSHIFT names no replica"
            errors["pool"] = f"No replica is in a pool named “{self.pool}”. The pools are {known}."
        try:
            self.contract = str(parse_contract(self.contract))
        except ValueError as error:
            errors["contract"] = str(error)
        if errors:
            raise ValidationError(errors)


def gate_exists(kind: str, name: str) -> bool:
    """Say whether waffle has this flag, switch or sample."""
    return gate_model(kind)._default_manager.filter(name=name).exists()


def _model_problem(label: str) -> str | None:
    try:
        model: type[models.Model] = apps.get_model(label)
    except (LookupError, ValueError):
        return f"No installed model is labelled “{label}”. Write app_label.ModelName, such as shop.Product."
    if model._meta.label != label:
        return f"Write the label as “{model._meta.label}”: letter case matters when rules are matched."
    if is_denied(model, get_settings().deny):
        return (
            f"{label} is on the deny list, so its reads stay on the primary whatever a rule says. Take it out of "
            f'READSHIFT["DENY"] if that is where it stands.'
        )
    if get_settings().cluster_for_app(model._meta.app_label) is None:
        return f"{label} belongs to no cluster of the READSHIFT setting, so it has no replica to read from."
    return None
