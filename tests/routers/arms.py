"""Rules that have arms, and what was counted of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections
from waffle.models import Flag

from rollout.models import GateKind, RoutingRule, TargetKind
from routers.arms import Outcomes, arms
from tests.rollout.support import create_flag
from tests.support import route


def gated(target: str = "names", flag: str = "stage", *, kind: str = TargetKind.ENDPOINT, **values: Any) -> RoutingRule:
    """Create a rule behind a flag of its own, which is open for everybody unless told otherwise."""
    opened: dict[str, Any] = {
        "everyone": True,
        **{name: values.pop(name) for name in ("everyone", "percent") if name in values},
    }
    create_flag(flag, **opened)
    return route(target, kind=kind, gate=(GateKind.FLAG, flag), **values)


def gated_model(**values: Any) -> RoutingRule:
    return gated("shop.Product", "model-stage", kind=TargetKind.MODEL, **values)


def counted(target: str = "names") -> dict[str, Outcomes]:
    """Return what was counted for each arm of a rule that has any units, whatever the revision."""
    found: dict[str, Outcomes] = {}
    for rollout, sides in arms.take().items():
        for side, outcomes in sides.items():
            if rollout.target == target and outcomes.units:
                found.setdefault(side.value, Outcomes()).add(outcomes)
    return found


def brief(target: str = "names") -> dict[str, tuple[int, int]]:
    """Return how many units of each arm there were, and how many failed."""
    return {side: (outcomes.units, outcomes.failed) for side, outcomes in counted(target).items()}


def divide_by(number: int) -> float:
    return 1 / number


def elsewhere(function: Callable[[], None]) -> None:
    """Run a function as somebody else does, outside of the unit."""

    def run() -> None:
        try:
            function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


def close_flag() -> None:
    flag = Flag.objects.get(name="stage")
    flag.everyone = False
    flag.save()
