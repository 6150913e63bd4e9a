"""What the buttons ask for, checked and put into words before anything happens."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Model
from waffle import get_waffle_switch_model

from rollout import exposure, operations
from rollout.exposure import Change, Exposure, parse_percent
from rollout.gates import NOBODY
from rollout.loading import load_policy
from rollout.models import RoutingRule
from rollout.models.rule import gate_model
from rollout.policy import KILL_SWITCH


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
    question: what to ask before it raises exposure. words: what else it does, said in place of effects.
    warning: what to mind once it is done, or empty.
    """

    change: Change
    effects: tuple[Effect, ...]
    apply: Callable[[], Change]
    subject: Callable[[], Model]
    question: str = "Send more reads to replicas?"
    words: tuple[str, ...] = ()
    warning: str = ""


def mode_step(pk: int, mode: str) -> Step:
    """Plan another mode for a rule. Call it in a transaction: the rule stays locked until the end of it."""
    rule = _rule(pk)
    change = operations.plan_mode(rule, mode)
    return Step(
        change,
        (Effect(str(rule), change.before, change.after),),
        apply=lambda: operations.set_mode(rule, mode),
        subject=lambda: rule,
    )


def share_step(pk: int, text: str, using: str) -> Step:
    """Plan another percentage for a rule's gate. Call it in a transaction: the gate stays locked until the end of it.

    The lock makes sure that what the operator confirms, or need not confirm, is still so when it is done.
    """
    percent = parse_percent(text)
    rule = _rule(pk)
    kind, name = rule.gate_kind, rule.gate_name
    row = gate_model(kind)._default_manager.select_for_update().filter(name=name).first() if kind else None
    change = operations.plan_share(kind, name, percent)
    effects = (
        Effect(str(user), exposure.routed(user, change.before), exposure.routed(user, change.after))
        for user in load_policy(using).rules
        if (user.gate_kind, user.gate_name) == (kind, name)
    )
    return Step(
        change,
        tuple(effects),
        apply=lambda: operations.set_share(kind, name, percent),
        subject=lambda: row or rule,
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


def _rule(pk: int) -> RoutingRule:
    rule = RoutingRule.objects.select_for_update().filter(pk=pk).first()
    if rule is None:
        raise ValidationError("That rule no longer exists, so nothing was changed. Reload the dashboard.")
    return rule


def _routed(using: str) -> Iterable[Effect]:
    nobody = Exposure(NOBODY)
    for rule in load_policy(using).rules:
        share = exposure.of_rule(rule)
        if share.exceeds(nobody):
            yield Effect(str(rule), nobody, share)
