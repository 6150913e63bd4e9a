"""What needs a person: said in the strip, and beside each rule that it is about. Pure but for what it is given."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from admin_ui.overview.plans import trouble
from admin_ui.overview.shadows import Divergence, alarm
from admin_ui.rules.problems import problems_of
from rollout.models import RolloutPlan, RoutingRule
from rollout.options import Settings
from rollout.policy import Policy
from tasks.reporting.findings import cause_words

Target = tuple[str, str]
"""The kind of a rule's target, and its name."""


@dataclass(frozen=True, slots=True)
class Attention:
    """divergences: the words on divergent reads of all rules, or empty. rollouts: on each that needs somebody.

    rules: what is wrong with a rule, by its target. by_target: all of it, by the target that it is about.
    """

    divergences: str
    rollouts: tuple[str, ...]
    rules: Mapping[Target, tuple[str, ...]]
    by_target: Mapping[Target, tuple[str, ...]]

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that the strip says, the gravest first."""
        about_rules = (problem for problems in self.rules.values() for problem in problems)
        return (*([self.divergences] if self.divergences else []), *self.rollouts, *about_rules)

    def by_rule(self, rules: Iterable[RoutingRule]) -> Mapping[int, tuple[str, ...]]:
        """Return what it says of those of these rules that need somebody, by their ids."""
        found = ((rule.pk, self.by_target.get((rule.target_kind, rule.target), ())) for rule in rules)
        return {pk: words for pk, words in found if words}


def attention(
    policy: Policy,
    endpoints: AbstractSet[str],
    settings: Settings,
    *,
    divergences: tuple[Divergence, ...],
    plans: Iterable[RolloutPlan],
    now: datetime,
) -> Attention:
    """Gather what is known to be wrong. endpoints: the names that can occur."""
    rules = {
        (rule.target_kind, rule.target): problems
        for rule in policy.rules
        if (problems := problems_of(rule, endpoints, settings))
    }
    troubles = {(plan.rule.target_kind, plan.rule.target): words for plan in plans if (words := trouble(plan, now))}
    by_target = {target: list(problems) for target, problems in rules.items()}
    for target, words in troubles.items():
        by_target.setdefault(target, []).append(words)
    for one in divergences:
        words = f"Divergent shadow reads of the last day, most of them: {cause_words(one.cause)}."
        by_target.setdefault((one.target_kind, one.target), []).append(words)
    return Attention(
        divergences=alarm(divergences) if divergences else "",
        rollouts=tuple(troubles.values()),
        rules=rules,
        by_target={target: tuple(words) for target, words in by_target.items()},
    )
