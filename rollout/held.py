"""A plan with its rule and flag, locked, so that what is read of them is what a change is made to."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from rollout.exposure import of_gate
from rollout.foreign import ForeignChange, notice_foreign_change, targets_of
from rollout.gates import FlagGate, Gate
from rollout.loading import load_gate
from rollout.models import GateKind, Mode, RolloutPlan, RoutingRule
from rollout.models.rule import gate_model
from rollout.operations import store_share
from rollout.plan_states import LIVE


@dataclass(frozen=True, slots=True)
class Held:
    """What one transaction changes together.

    flag: waffle's row, None if there is none. gate: the same, compiled.
    """

    plan: RolloutPlan
    rule: RoutingRule
    flag: Any
    gate: Gate | None
    using: str

    @property
    def foreign(self) -> ForeignChange | None:
        """What somebody else has changed."""
        return notice_foreign_change(self.plan, self.gate)

    @property
    def targets(self) -> dict[str, Any]:
        """Whom the flag is open for besides a percentage."""
        return targets_of(self.gate) if isinstance(self.gate, FlagGate) else {}

    @property
    def rival(self) -> RolloutPlan | None:
        """Another plan that answers for the same rule or flag already."""
        others = RolloutPlan.objects.using(self.using).filter(state__in=LIVE).exclude(pk=self.plan.pk)
        return others.filter(Q(rule=self.rule) | Q(gate_name=self.rule.gate_name)).first()

    def open_to(self, percent: Decimal) -> None:
        """Let so many actors through the flag."""
        store_share(GateKind.FLAG, self.flag, percent)

    def close(self) -> None:
        """Let nobody through the flag. One that lets nobody through stays as somebody has put it."""
        if not of_gate(self.gate).is_nobody:
            store_share(GateKind.FLAG, self.flag, Decimal(0))

    def route(self) -> None:
        """Have the rule send to replicas whom the flag lets through."""
        if self.rule.mode != Mode.ROUTE:
            self.rule.mode = Mode.ROUTE
            self.rule.save(using=self.using, update_fields=["mode", "modified"])


def hold(pk: int, using: str) -> Held:
    """Lock and return a plan with what it moves. Raises ValidationError if there is no such plan.

    All rows are locked before any is written, and always in this order. Whoever saves a rule or a flag holds its row
    when it asks for the revision's; so nobody may ask for a rule or a flag while it has the revision.
    """
    plan = RolloutPlan.objects.using(using).select_for_update().filter(pk=pk).first()
    if plan is None:
        raise ValidationError(f"There is no plan {pk}. It may have been deleted with its rule.")
    plan.rule = RoutingRule.objects.using(using).select_for_update(no_key=True).get(pk=plan.rule_id)
    name = plan.gate_name or (plan.rule.gate_name if plan.rule.gate_kind == GateKind.FLAG else "")
    flags: Any = gate_model(GateKind.FLAG)._default_manager.using(using)
    flag = flags.select_for_update().filter(name=name).first()
    return Held(plan, plan.rule, flag, load_gate(GateKind.FLAG, name, using), using)
