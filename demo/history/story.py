"""What its operators did in that week."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

from django.utils import timezone

from demo.rules import create_rules
from rollout import operations, plans
from rollout.acting import Acting, acting
from rollout.models import Door, GateKind, Mode, RoutingRule, TargetKind
from routers.control import control_alias

ORDERS = "shop:order-list"
ORDERS_FLAG = "orders-on-replicas"
FAILURE = "divergent_count: 3 divergent reads, the limit is 0."


@dataclass(frozen=True, slots=True)
class Step:
    """From when on a flag let how many percent through, and the policy's revision since then."""

    at: datetime
    percent: Decimal
    revision: int


@contextmanager
def at(moment: datetime, who: str, why: str = "", door: Door = Door.DASHBOARD) -> Iterator[None]:
    """Let somebody act at that time."""
    with patch.object(timezone, "now", return_value=moment), acting(Acting(door, lambda: who, why)):
        yield


def tell(now: datetime) -> tuple[Step, ...]:
    """Make it so, and return how the catalogue's share grew."""
    with at(now - timedelta(days=7, hours=2), "manage.py demo_rules", door=Door.COMMAND):
        create_rules()
    with at(now - timedelta(days=6, hours=22), "admin"):
        _more_rules()
        _compare()
    _try_orders(now)
    _work_on_replica(now)
    return _open_catalogue(now)


def _more_rules() -> None:
    operations.create_flag(ORDERS_FLAG)
    for target, fields in {
        ORDERS: {"mode": Mode.OBSERVE, "gate_kind": GateKind.FLAG, "gate_name": ORDERS_FLAG},
        "shop:cart": {"mode": Mode.PIN, "gate_kind": GateKind.NONE, "note": "What is in a cart is paid for."},
        "shop.Review": {"mode": Mode.OBSERVE, "gate_kind": GateKind.NONE, "contract": "bounded:30"},
    }.items():
        kind = TargetKind.ENDPOINT if ":" in target else TargetKind.MODEL
        RoutingRule.objects.create(target_kind=kind, target=target, **fields)


def _compare() -> None:
    for rule in RoutingRule.objects.filter(target__in=("shop:product-list", "shop:report", ORDERS)):
        rule.shadow_percent = Decimal(5)
        rule.save()


def _try_orders(now: datetime) -> None:
    began = now - timedelta(days=4)
    using = control_alias()
    with at(began, "admin", "Order pages are a third of the load"):
        plan = plans.draft(RoutingRule.objects.get(target=ORDERS), "standard")
        plans.start(plan.pk, using=using)
    with at(began + timedelta(minutes=6), f"plan {plan.pk}", FAILURE, Door.PLAN):
        plans.roll_back(plan.pk, why=FAILURE, using=using)


def _work_on_replica(now: datetime) -> None:
    began, using = now - timedelta(days=3), control_alias()
    with at(began, "operator", "Its disk is replaced"):
        operations.drain("replica2", "operator", "Its disk is replaced", using)
    with at(began + timedelta(minutes=47), "admin", "Done"):
        operations.undrain("replica2", using)
    with at(began + timedelta(hours=9), "operator", "Customers report missing orders"):
        operations.set_kill_switch(False)
    with at(began + timedelta(hours=9, minutes=12), "admin", "It was the search, not the replicas"):
        operations.set_kill_switch(True)


def _open_catalogue(now: datetime) -> tuple[Step, ...]:
    using, began = control_alias(), now - timedelta(hours=5)
    with at(began, "admin", "Observed for a week, no difference"):
        draft = plans.draft(RoutingRule.objects.get(target="shop:product-list"), "standard")
        plan = plans.start(draft.pk, using=using).plan
    steps = [Step(began, plan.expected_percent, plan.stage_revision)]
    for minutes in (167, 18):
        moment = now - timedelta(minutes=minutes)
        with at(moment, f"plan {plan.pk}", "All guardrails pass.", Door.PLAN):
            plan = plans.advance(plan.pk, using=using).plan
        steps.append(Step(moment, plan.expected_percent, plan.stage_revision))
    return tuple(steps)
