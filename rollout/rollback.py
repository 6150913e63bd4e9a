"""Takes reads back to the primary in every process: those of chosen rules, or all.

It asks for no confirmation and may be done again. It needs the database that holds rules and gates, and nothing else:
no cache, no broker and no other process has to answer.
"""

from collections.abc import Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import router, transaction

from rollout import operations, plans
from rollout.exposure import Change
from rollout.gates import NOBODY
from rollout.models.plan import RolloutPlan
from rollout.models.rule import GateKind, Mode, RoutingRule, gate_model
from rollout.naming import full_name
from rollout.plan_states import LIVE
from rollout.waiting import limit_waiting

LONGEST_WAIT_SECONDS = 10
"""How long others may hold a rule or a gate before it is said that they do."""

_GATE_KINDS = [kind for kind in GateKind.values if kind]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What was done for one rule, or for all.

    rule: as `naming.full_name` calls it; None for all rules.
    change: what was changed. Its `before` and `after` are equal if nothing had to be.
    others: the rules that go through the same gate, and so were taken back with it.
    """

    rule: str | None
    change: Change
    others: tuple[str, ...] = ()

    @property
    def had_no_need(self) -> bool:
        return self.change.before == self.change.after

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "rule": self.rule,
            "change": self.change.summary,
            "before": str(self.change.before),
            "after": str(self.change.after),
            "had_no_need": self.had_no_need,
            "others": list(self.others),
        }


def roll_back_all(using: str) -> RolledBack:
    """Send every read to the primary: the kill switch off, created if it is missing. Rules and gates stay the same."""
    with all_or_nothing(using):
        return RolledBack(None, operations.set_kill_switch(active=False))


def roll_back_rule(rule: RoutingRule, using: str) -> RolledBack:
    """Send the reads of one rule to the primary. Raises ValidationError if the rule no longer exists."""
    return roll_back_rules([rule], using)[0]


def roll_back_rules(rules: Iterable[RoutingRule], using: str) -> tuple[RolledBack, ...]:
    """Send the reads of these rules to the primary: of all of them, or of none if it fails.

    The gate of a rule is closed for everybody. A rule without one, or whose gate does not exist, goes from `route` to
    `observe`. Raises ValidationError if a rule no longer exists.
    """
    keys = [rule.pk for rule in rules]
    with all_or_nothing(using):
        # Rules first, then gates, each in one order, and nothing written in between: whoever changes a gate holds it
        # before the revision, so that two who roll back, or one and somebody who raises, cannot wait for each other.
        locked = RoutingRule.objects.using(using).select_for_update().filter(pk__in=keys).order_by("pk")
        rows = {row.pk: row for row in locked}
        if gone := [key for key in keys if key not in rows]:
            raise ValidationError(f"{len(gone)} of {len(keys)} rules no longer exist. Nothing was changed.")
        named = {(row.gate_kind, row.gate_name) for row in rows.values() if row.gate_kind}
        gates = _lock_gates(named)
        done = tuple(_take_back(rows[key], gates, using) for key in keys)
        _end_plans({name for kind, name in named if kind == GateKind.FLAG}, using)
        return done


def _end_plans(flags: Iterable[str], using: str) -> None:
    """End the plans that move these flags. One that somebody is looking at is not waited for: it will notice itself."""
    live = RolloutPlan.objects.using(using).filter(state__in=LIVE, gate_name__in=list(flags))
    for pk in live.select_for_update(skip_locked=True, of=("self",)).order_by("pk").values_list("pk", flat=True):
        plans.heed(pk, using=using)


def _lock_gates(gates: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Lock these gates until the end of the transaction, and return those that exist."""
    return {
        (kind, name)
        for kind, name in sorted(gates)
        if gate_model(kind)._default_manager.select_for_update().filter(name=name).first() is not None
    }


def _take_back(rule: RoutingRule, gates: Container[tuple[str, str]], using: str) -> RolledBack:
    """Do what it takes for one rule. It is locked, and so are the gates, which are all that exist."""
    name = full_name(rule)
    if (rule.gate_kind, rule.gate_name) in gates:
        change = operations.set_share(rule.gate_kind, rule.gate_name, NOBODY)
        users = RoutingRule.objects.using(using).filter(gate_kind=rule.gate_kind, gate_name=rule.gate_name)
        return RolledBack(name, change, tuple(full_name(user) for user in users if user.pk != rule.pk))
    if rule.mode == Mode.ROUTE:
        return RolledBack(name, operations.set_mode(rule, Mode.OBSERVE))
    return RolledBack(name, operations.plan_mode(rule, rule.mode))


@contextmanager
def all_or_nothing(using: str) -> Iterator[None]:
    """Let what this block does to rules and gates be one transaction on each database that holds them.

    Raises OperationalError if somebody else holds one of them for long, rather than wait without a word.
    """
    aliases = {using, *(router.db_for_write(gate_model(kind)) for kind in _GATE_KINDS)}
    with ExitStack() as stack:
        for alias in sorted(aliases):
            stack.enter_context(transaction.atomic(using=alias))
            limit_waiting(alias, LONGEST_WAIT_SECONDS)
        yield
