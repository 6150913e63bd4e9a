"""The rule that somebody names in a terminal."""

from admin_ui.commands.frame import refusal
from rollout.models import RoutingRule
from rollout.naming import rules_named
from routers.control import control_alias


def named_rule(name: str, code: int) -> RoutingRule:
    """Return the one rule that a name means. Raises `CommandError` with this exit code for none, or several."""
    named = rules_named([name], RoutingRule.objects.using(control_alias()).all())
    if named.problems:
        raise refusal(" ".join(named.problems), code)
    return named.rules[0]
