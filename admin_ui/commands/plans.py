"""`manage.py readshift plan|plans|pause|resume|advance`: staged rollouts from the command line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from admin_ui.commands.frame import Terminal, refusal
from admin_ui.commands.rules import named_rule
from rollout import plans
from rollout.models import RolloutPlan, RoutingRule
from rollout.naming import full_name
from rollout.plan_states import LIVE
from rollout.plans import Result
from rollout.stages import TEMPLATES
from routers.control import control_alias

DONE = 0
REFUSED = 2
UNKNOWN = 3


class StartPlan:
    """Makes a plan for a rule and starts it."""

    name = "plan"
    help = (
        "Start a staged rollout of a rule's flag. Exits with 0 if it runs, 2 if it was refused, 3 if there is no such "
        "rule."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--template", choices=TEMPLATES, default="careful", help="default: %(default)s")
        _add_usual(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        rule = named_rule(options["rule"], UNKNOWN)
        return _tell(terminal, options, lambda: _drafted_and_started(rule, options))


@dataclass(slots=True)
class ChangePlan:
    """Does one thing to the plan of a rule that is under way."""

    name: str
    help: str
    change: Callable[..., Result]

    def add_arguments(self, parser: CommandParser) -> None:
        _add_usual(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        rule = named_rule(options["rule"], UNKNOWN)
        plan = _live().filter(rule=rule).first()
        if plan is None:
            known = ", ".join(full_name(plan.rule) for plan in _live()) or "none"
            raise refusal(f"No plan is under way for {full_name(rule)}. Plans are under way for: {known}.", UNKNOWN)
        return _tell(terminal, options, lambda: self.change(plan.pk, using=control_alias()))


class ListPlans:
    """Tells how plans stand."""

    name = "plans"
    help = "Tell how staged rollouts stand, the newest first. Exits with 0, also if none is under way."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those that have ended")
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        shown = RolloutPlan.objects.using(control_alias()).select_related("rule") if options["all"] else _live()
        if options["json"]:
            terminal.say_json({"plans": [as_json(plan) for plan in shown]})
            return DONE
        for plan in shown:
            terminal.say(str(plan))
            terminal.say_table(_rows(plan))
        if not shown:
            terminal.say("No plan is under way.")
        return DONE


_ENDS = "Exits with 0 if it is so now, 2 if it was refused, 3 if there is no such rule or no plan is under way for it."

CHANGES = (
    ChangePlan("pause", f"Have a rollout stay where it is until somebody resumes it. {_ENDS}", plans.pause),
    ChangePlan("resume", f"Let a paused rollout go on. Its stage begins anew. {_ENDS}", plans.resume),
    ChangePlan("advance", f"Take a rollout to its next stage at once. {_ENDS}", plans.advance),
)


def as_json(plan: RolloutPlan) -> dict[str, Any]:
    """Return what a plan is and how it stands, as JSON can hold it."""
    return {
        "plan": plan.pk,
        "rule": str(plan.rule),
        "flag": plan.gate_name,
        "template": plan.template,
        "state": plan.state,
        "stage": plan.stage,
        "percent": float(plan.expected_percent),
        "stages": plan.stages,
        "sample": plan.sample,
        "reason": plan.reason,
        "outlook": plan.outlook,
        "verdicts": plan.verdicts,
        "stage_began_at": None if plan.stage_began_at is None else plan.stage_began_at.isoformat(),
        "looked_at": None if plan.looked_at is None else plan.looked_at.isoformat(),
    }


def _live() -> Any:
    return RolloutPlan.objects.using(control_alias()).select_related("rule").filter(state__in=LIVE)


def _add_usual(parser: CommandParser) -> None:
    parser.add_argument("rule", help="such as endpoint:shop:product-list; the target alone, if one rule has it")
    parser.add_argument("--why", default="", help="the reason, for the record")
    parser.add_argument("--json", action="store_true", help="write one JSON object")


def _drafted_and_started(rule: RoutingRule, options: dict[str, Any]) -> Result:
    using = control_alias()
    # One that cannot start leaves no draft behind.
    with transaction.atomic(using):
        return plans.start(plans.draft(rule, options["template"]).pk, using=using)


def _tell(terminal: Terminal, options: dict[str, Any], change: Callable[[], Result]) -> int:
    try:
        result = change()
    except ValidationError as error:
        raise refusal(" ".join(error.messages), REFUSED) from None
    if options["json"]:
        terminal.say_json({"changed": result.changed, "text": result.text, **as_json(result.plan)})
    else:
        terminal.say(result.text)
    return DONE


def _rows(plan: RolloutPlan) -> Iterator[tuple[str, str]]:
    percents = " ".join(
        f"[{stage['percent']} %]" if number == plan.stage else f"{stage['percent']} %"
        for number, stage in enumerate(plan.stages)
    )
    yield "  rule", str(plan.rule)
    yield "  flag", f"{plan.gate_name} at {plan.expected_percent.normalize():f} %"
    yield "  state", f"{plan.get_state_display()}: {plan.reason}".rstrip(": ")
    yield "  next", plan.outlook if plan.is_live else ""
    yield "  stages", percents
    if plan.stage_began_at is not None:
        lasted = (timezone.now() - plan.stage_began_at).total_seconds()
        yield "  this stage", f"{lasted:,.0f} s, {plan.sample:,} units on replicas"
    for verdict in plan.verdicts.values():
        trial = " (in trial)" if verdict["trial"] else ""
        yield f"  {verdict['finding']}", f"{verdict['reason']}{trial}"
