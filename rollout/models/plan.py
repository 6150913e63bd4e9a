"""The plan: the stages in which a rule's share grows, and how far it has come."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rollout.gates import EVERYBODY, NOBODY
from rollout.guardrails import Guardrail
from rollout.limits import parse_limits
from rollout.models.rule import GateKind, RoutingRule, gate_exists
from rollout.plan_states import LIVE, State
from rollout.stages import Stage, parse_stages


class RolloutPlan(models.Model):
    """Takes the flag of one rule from nobody to everybody in stages, or back to nobody.

    It changes by `rollout.plans` alone, which keeps it in line with flag, rule and events. The flag stays anybody's to
    change; the plan notices and steps aside.

    rule: deleting a rule takes its plans with it. That sends its reads to the primary, which nothing may stand in the
        way of, and the events stay.
    gate_name: the flag, copied from the rule when the plan starts; empty before.
    template: the name in `rollout.stages.TEMPLATES` from which it was made, or empty.
    stages, guardrails: as `rollout.stages.parse_stages` and `rollout.limits.parse_limits` read them.
    stage: the number of the present stage, from 0.
    expected_percent: what the plan has set on the flag last. expected_targets: whom else the flag was open for when the
        plan started, as `rollout.foreign.targets_of` returns it.
    reason: why it is in its state, in words.
    standings: by metric, what `Standing.as_json` returns. verdicts: by metric, the latest finding, reason and trial.
    outlook: what the last look found to do next, or what it waits for. looked_at: when that was.
    horizons: by rule of the flag, up to where its counts are included, as `rollout.measuring.Horizon.as_json` has it.
    stage_revision: the policy's revision from which on units belong to the stage. sample: how many the replicas' arm
        had in it.
    version: grows with each change but those of a look.
    """

    rule = models.ForeignKey(RoutingRule, on_delete=models.CASCADE, related_name="plans")
    gate_name = models.CharField("flag", max_length=100, blank=True, editable=False)
    template = models.CharField(max_length=32, blank=True)
    stages = models.JSONField(default=list)
    guardrails = models.JSONField(default=list)
    state = models.CharField(max_length=11, choices=State, default=State.DRAFT, editable=False)
    stage = models.PositiveSmallIntegerField(default=0, editable=False)
    stage_began_at = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    expected_percent = models.DecimalField(max_digits=4, decimal_places=1, default=NOBODY, editable=False)
    expected_targets = models.JSONField(default=dict, blank=True, editable=False)
    reason = models.TextField(blank=True, editable=False)
    standings = models.JSONField(default=dict, blank=True, editable=False)
    verdicts = models.JSONField(default=dict, blank=True, editable=False)
    outlook = models.TextField(blank=True, editable=False)
    looked_at = models.DateTimeField(null=True, editable=False)
    horizons = models.JSONField(default=dict, blank=True, editable=False)
    stage_revision = models.PositiveBigIntegerField(default=0, editable=False)
    sample = models.PositiveBigIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "rollout plan"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule"], condition=models.Q(state__in=LIVE), name="readshift_one_live_plan_per_rule"
            ),
            models.UniqueConstraint(
                fields=["gate_name"], condition=models.Q(state__in=LIVE), name="readshift_one_live_plan_per_flag"
            ),
            models.CheckConstraint(
                condition=models.Q(state=State.DRAFT) | ~models.Q(gate_name=""), name="readshift_plan_has_flag"
            ),
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="readshift_known_plan_state"),
            models.CheckConstraint(
                condition=models.Q(expected_percent__gte=NOBODY, expected_percent__lte=EVERYBODY),
                name="readshift_plan_percent",
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.pk}"

    def clean(self) -> None:
        """Refuse stages, guardrails or a rule that the plan could not run with, saying what to put right."""
        errors = {}
        try:
            parse_stages(self.stages)
        except ValidationError as error:
            errors["stages"] = error.messages
        try:
            parse_limits(self.guardrails)
        except ValidationError as error:
            errors["guardrails"] = error.messages
        if hasattr(self, "rule") and (problem := _gate_problem(self.rule)):
            errors["rule"] = [problem]
        if errors:
            raise ValidationError(errors)

    @property
    def subject(self) -> str:
        """What events call it."""
        return f"{self.pk} of {self.rule}"

    @property
    def is_live(self) -> bool:
        """Whether it answers for the flag: it runs or is paused."""
        return self.state in LIVE

    @property
    def parsed_stages(self) -> tuple[Stage, ...]:
        """What it goes through. Raises ValidationError for stages that somebody has written by hand."""
        return parse_stages(self.stages)

    @property
    def parsed_guardrails(self) -> tuple[Guardrail, ...]:
        """What it is held to. Raises ValidationError for guardrails that somebody has written by hand."""
        return parse_limits(self.guardrails)


def _gate_problem(rule: RoutingRule) -> str:
    if rule.gate_kind != GateKind.FLAG:
        found = f"the {rule.gate_kind} “{rule.gate_name}”" if rule.gate_kind else "no gate"
        return f"The rule for {rule} has {found}. A plan moves the percentage of a waffle flag: give the rule one."
    if not gate_exists(rule.gate_kind, rule.gate_name):
        return f"Waffle has no flag named “{rule.gate_name}”, which the rule for {rule} names. Create it first."
    return ""
