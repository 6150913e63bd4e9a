"""What the buttons ask for, checked and put into words before anything happens."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import Model
from waffle import get_waffle_switch_model

from admin_ui.drawing import figures
from rollout import exposure, operations
from rollout.exposure import Change, Exposure, parse_percent
from rollout.gates import NOBODY
from rollout.loading import load_policy
from rollout.models import RoutingRule
from rollout.models.rule import gate_model
from rollout.policy import KILL_SWITCH, Rule


@dataclass(frozen=True, slots=True)
class Effect:
    """What one rule sends to replicas before and after."""

    rule: str
    before: Exposure
    after: Exposure


@dataclass(frozen=True, slots=True)
class Step:
    """One thing an operator asked for.

    change: what it does, from `rollout.operations`.
    effects: what that means for each rule it touches.
    apply: does it.
    subject: the row whose history in the admin should tell of it; asked for afterwards, since `apply` may create it.
    question: what to ask before it raises exposure. words: what else it does.
    warning: what to mind once it is done, or empty.
    lets_rise: whether it is asked and allowed like a step that raises exposure although it leaves it as it is, since
        it lets it rise later without anybody.
    news: what somebody else has changed since the page was drawn, or empty. Whoever confirmed before is asked anew.
    seen: how things stand now, as fields of the question, so that the answer can tell whether they still do.
    """

    change: Change
    effects: tuple[Effect, ...]
    apply: Callable[[], Change]
    subject: Callable[[], Model]
    question: str = "Send more reads to replicas?"
    words: tuple[str, ...] = ()
    warning: str = ""
    lets_rise: bool = False
    news: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)

    @property
    def raises(self) -> bool:
        """Whether it takes the larger permission, and a confirmation."""
        return self.lets_rise or self.change.raises_exposure


def mode_step(pk: int, mode: str) -> Step:
    """Plan another mode for a rule. Call it in a transaction: the rule stays locked until the end of it."""
    rule = locked_rule(pk)
    change = operations.plan_mode(rule, mode)
    return Step(
        change,
        (Effect(str(rule), change.before, change.after),),
        apply=lambda: operations.set_mode(rule, mode),
        subject=lambda: rule,
    )


def share_step(pk: int, text: str, using: str, seen: str = "") -> Step:
    """Plan another percentage for a rule's gate. Call it in a transaction: the gate stays locked until the end of it.

    The lock makes sure that what the operator confirms, or need not confirm, is still so when it is done. seen: the
    percentage that their page showed as the present one, or empty if it said nothing of it.
    """
    percent = parse_percent(text)
    rule = locked_rule(pk)
    kind, name = rule.gate_kind, rule.gate_name
    row = gate_model(kind)._default_manager.select_for_update().filter(name=name).first() if kind else None
    change = operations.plan_share(kind, name, percent)
    return Step(
        change,
        effects_of(kind, name, change, using),
        apply=lambda: operations.set_share(kind, name, percent),
        subject=lambda: row or rule,
        news=_news(f"{kind} {name}", seen, change.before.percent),
        seen={"seen": figures.plain(change.before.percent)},
    )


def kill_switch_step(state: str, using: str) -> Step:
    """Plan turning the kill switch on or off."""
    if state not in {"on", "off"}:
        raise ValidationError(f"“{state}” is no state of the kill switch. Use on or off.")
    active = state == "on"
    change = operations.plan_kill_switch(active)
    return Step(
        change,
        tuple(_routed(using)) if active else (),
        apply=lambda: operations.set_kill_switch(active),
        subject=lambda: get_waffle_switch_model()._default_manager.get(name=KILL_SWITCH),
    )


def effects_of(
    kind: str, name: str, change: Change, using: str, becomes: Callable[[Rule], Rule] = lambda rule: rule
) -> tuple[Effect, ...]:
    """Return what a change of a gate means for each rule that goes through it.

    becomes: what the change makes of a rule besides.
    """
    return tuple(
        Effect(str(user), exposure.routed(user, change.before), exposure.routed(becomes(user), change.after))
        for user in load_policy(using).rules
        if (user.gate_kind, user.gate_name) == (kind, name)
    )


def locked_rule(pk: int) -> RoutingRule:
    """Lock and return a rule. Raises ValidationError if it no longer exists."""
    return _existing(RoutingRule.objects.select_for_update().filter(pk=pk).first())


def stored_rule(pk: int, using: str) -> RoutingRule:
    """Return a rule without waiting for whoever holds it. Raises ValidationError if it no longer exists."""
    return _existing(RoutingRule.objects.using(using).filter(pk=pk).first())


def _existing(rule: RoutingRule | None) -> RoutingRule:
    if rule is None:
        raise ValidationError("That rule no longer exists, so nothing was changed. Reload the dashboard.")
    return rule


def _news(gate: str, seen: str, percent: Decimal) -> str:
    """Say that a gate is not where the operator's page showed it, or return an empty text."""
    if not seen or figures.plain(percent) == seen:
        return ""
    return f"Somebody changed the {gate} after your page was loaded: from {seen} % to {figures.plain(percent)} %."


def _routed(using: str) -> Iterable[Effect]:
    nobody = Exposure(NOBODY)
    for rule in load_policy(using).rules:
        share = exposure.of_rule(rule)
        if share.exceeds(nobody):
            yield Effect(str(rule), nobody, share)
