"""The operator of the measured shop: starts plans and reads what became of them, as a shell on the web host would."""

import os
from typing import Any

import django

_LONG_SECONDS = 3600


def sign_in() -> None:
    """Become a process of the demo's project. Called once its servers run."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"
    django.setup()


def start_plan() -> int:
    """Begin a plan that stays at 25 % of the catalogue, held to all guardrails as they are by default."""
    from demo.rules import CATALOGUE  # noqa: PLC0415 - models, which need `sign_in` first
    from rollout import plans  # noqa: PLC0415 - likewise
    from rollout.guardrails import Metric  # noqa: PLC0415 - likewise
    from rollout.limits import limits_of  # noqa: PLC0415 - likewise
    from rollout.models import RolloutPlan, RoutingRule  # noqa: PLC0415 - likewise

    plan = RolloutPlan(
        rule=RoutingRule.objects.get(target=CATALOGUE[0]),
        stages=[
            {"percent": percent, "minimum_seconds": _LONG_SECONDS, "minimum_sample": 0} for percent in ("25", "100")
        ],
        guardrails=limits_of(tuple(Metric)),
    )
    plan.full_clean()
    plan.save()
    plans.start(plan.pk, why="measured")
    return plan.pk


def percent(plan: int) -> float:
    """Return what the plan has set its flag to."""
    return float(_plan(plan).expected_percent)


def end_of(plan: int) -> str:
    """Return why a plan is under way no more, or an empty text while it is."""
    row = _plan(plan)
    return "" if row.is_live else f"{row.get_state_display()}: {row.reason}"


def verdicts(plan: int) -> str:
    """Return what the guardrails said last."""
    return "; ".join(f"{verdict['finding']}: {verdict['reason']}" for verdict in _plan(plan).verdicts.values())


def event_of(plan: int) -> dict[str, Any]:
    """Return the event by which a plan was taken back."""
    from rollout.models import Event  # noqa: PLC0415 - a model, which needs `sign_in` first

    event = Event.objects.filter(subject_kind="plan", subject__startswith=f"{plan} of ").first()
    if event is None:
        return {}
    return {
        "door": event.door,
        "who": event.who,
        "why": event.why,
        "before": event.before,
        "after": event.after,
        "measures": event.measures,
    }


def _plan(pk: int) -> Any:
    from rollout.models import RolloutPlan  # noqa: PLC0415 - a model, which needs `sign_in` first

    return RolloutPlan.objects.get(pk=pk)
