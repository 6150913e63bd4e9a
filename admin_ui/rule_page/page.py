"""All that the page of a rule shows at one moment. The number of queries does not depend on how much has happened."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from admin_ui.operating.plans import stage_words
from admin_ui.overview.rows import Beside, RuleRow, rule_rows
from admin_ui.overview.shadows import ShadowLine, shadow_lines
from admin_ui.permissions import Powers
from admin_ui.rule_page.history import History, read_history
from admin_ui.rule_page.lengths import LENGTHS, Length
from admin_ui.rule_page.plan_view import FormerPlan, PlanView, former_plan, plan_view
from admin_ui.rule_page.reasons import ReasonsOfRule, read_reasons
from admin_ui.rule_page.shares import Present
from admin_ui.rules.problems import warnings_about
from rollout.loading import load_policy
from rollout.models import GateKind, RolloutPlan, RoutingRule
from rollout.plan_states import LIVE, State
from rollout.policy import Policy
from rollout.stages import TEMPLATES

MOST_PLANS = 20


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """One of the ready-made plans, with its stages in words."""

    name: str
    stages: tuple[str, ...]
    is_default: bool


@dataclass(frozen=True, slots=True)
class RulePageData:
    """What can change at any time. history: None where it was not asked for.

    rival: what another rule's plan does with the flag of this one, or empty. templates: those that can be started now.
    """

    row: RuleRow
    contract: str
    note: str
    shadow_percent: str
    plan: PlanView | None
    former: tuple[FormerPlan, ...]
    rival: str
    templates: tuple[TemplateChoice, ...]
    history: History | None
    reasons: ReasonsOfRule
    lengths: tuple[Length, ...]

    @property
    def is_live(self) -> bool:
        """Whether anything on the page changes by itself: a plan is under way."""
        return self.plan is not None and self.plan.is_live

    @property
    def said(self) -> str:
        """What a screen reader says when anything on the page has changed that the buttons depend on."""
        share = f"Share on replicas: {self.row.share}."
        return f"Plan {self.plan.words.lower()}. {self.plan.reason} {share}" if self.plan is not None else share

    @property
    def seen(self) -> str:
        """A short name for all that the buttons depend on: the page replaces them only on a change."""
        plan = f"{self.plan.number}.{self.plan.version}" if self.plan is not None else ""
        words = "\0".join((plan, self.row.mode, str(self.row.share), str(self.row.gate), self.rival))
        return blake2b(words.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Findings:
    """What is read once, when the page is opened: what is wrong with the rule, and what shadow reads say."""

    problems: tuple[str, ...]
    shadow: ShadowLine | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A rule as it is stored, and the policy that was read after it."""

    rule: RoutingRule
    policy: Policy


def find_rule(pk: int, using: str) -> Stored | None:
    """Read a rule with the policy. Returns None if there is no such rule."""
    rule = RoutingRule.objects.using(using).filter(pk=pk).first()
    return Stored(rule, load_policy(using)) if rule is not None else None


def read_rule_page(
    stored: Stored, length: Length, powers: Powers, now: datetime, using: str, *, with_history: bool = True
) -> RulePageData | None:
    """Read everything about a rule that changes by itself. Returns None if the policy knows it no more."""
    rule, policy = stored.rule, stored.policy
    compiled = policy.rule_of(rule.target_kind, rule.target)
    if compiled is None:
        return None
    (row,) = rule_rows([rule], policy, powers, Beside())
    plans = _read_plans(rule, using)
    rival = _read_rival(rule, using)
    newest = plans[0] if plans else None
    has_flag = compiled.gate_kind == GateKind.FLAG and compiled.gate is not None
    is_free = rival is None and not any(plan.is_live for plan in plans)
    history = None
    if with_history:
        history = read_history(Present(rule, compiled.gate, policy.enabled), plans, length, now, using)
    return RulePageData(
        row=row,
        contract=str(compiled.contract),
        note=rule.note,
        shadow_percent=f"{rule.shadow_percent.normalize():f}",
        plan=plan_view(newest, now) if newest is not None else None,
        former=tuple(former_plan(plan) for plan in plans if plan is not newest),
        rival=_rival_words(rival) if rival is not None else "",
        templates=_templates() if has_flag and is_free else (),
        history=history,
        reasons=read_reasons(rule, now, using),
        lengths=LENGTHS,
    )


def read_findings(stored: Stored, now: datetime, using: str) -> Findings:
    """Read what changes too slowly, and costs too much, to be read again every few seconds."""
    return Findings(
        problems=warnings_about(stored.rule, using, stored.policy),
        shadow=shadow_lines([stored.rule], now, using).get(stored.rule.pk),
    )


def _read_plans(rule: RoutingRule, using: str) -> list[RolloutPlan]:
    """Return the rule's plans, the latest to start first, which is the one that is under way if any is."""
    started = RolloutPlan.objects.using(using).filter(rule=rule, started_at__isnull=False)
    return list(started.order_by("-started_at", "-pk")[:MOST_PLANS])


def _read_rival(rule: RoutingRule, using: str) -> RolloutPlan | None:
    """Return the plan of another rule that moves the flag of this one."""
    if rule.gate_kind != GateKind.FLAG:
        return None
    moving = RolloutPlan.objects.using(using).filter(gate_name=rule.gate_name, state__in=LIVE).exclude(rule=rule)
    return moving.select_related("rule").first()


def _rival_words(plan: RolloutPlan) -> str:
    state = State(plan.state).label.lower()
    return (
        f"Plan {plan.pk} of {plan.rule} is {state} and moves the flag “{plan.gate_name}”, which this rule goes by too."
    )


def _templates() -> tuple[TemplateChoice, ...]:
    return tuple(
        TemplateChoice(name, tuple(map(stage_words, template.stages)), is_default=index == 0)
        for index, (name, template) in enumerate(TEMPLATES.items())
    )
