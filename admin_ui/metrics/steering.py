"""What rules, plans, processes and operators have set, and how shadow reads end, as gauges from the tables."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from admin_ui.metrics import families
from admin_ui.metrics.samples import Sample
from admin_ui.overview.plans import read_plans
from admin_ui.overview.shadows import ALARM_WINDOW, ALARMING
from rollout.exposure import of_rule
from rollout.gates import EVERYBODY
from rollout.loading import load_policy
from rollout.models import Mode, RolloutPlan, TargetKind
from rollout.outcomes import Outcome
from rollout.plan_states import State
from rollout.policy import Policy, Rule
from rollout.propagation import Propagation, read_roll
from rollout.settings import get_settings
from rollout.verdicts import Finding
from tasks.reporting.sums import read_bunches


def read_gauges(now: datetime, most: int, using: str) -> Iterator[Sample]:
    """Yield the gauges that are the same for every process, of `most` rules and as many plans.

    Rules that are live or send anybody to replicas come first. Raises what the database raises.
    """
    policy, roll = load_policy(using), read_roll(using)
    plans = sorted(read_plans(now, using).values(), key=lambda plan: (plan.ended_at is not None, -plan.pk))[:most]
    followed = {(plan.rule.target_kind, plan.rule.target) for plan in plans}
    rules = sorted(policy.rules, key=lambda rule: _precedence(rule, followed))[:most]
    yield from policy_gauges(policy, roll.propagation())
    for rule in rules:
        share = float(of_rule(rule).percent / EVERYBODY)
        yield Sample(families.RULE_SHARE, (rule.target_kind, rule.target, rule.mode), share)
    for plan in plans:
        yield from plan_gauges(plan)
    yield from _shadow_gauges(rules, now, using)


def policy_gauges(policy: Policy, propagation: Propagation) -> Iterator[Sample]:
    """Yield what concerns all rules and processes. Pure."""
    yield Sample(families.KILL_SWITCH, (), float(policy.enabled))
    yield Sample(families.REVISION, (), policy.revision)
    behind = len(propagation.behind)
    for state, number in (("current", propagation.current), ("behind", behind), ("gone", len(propagation.gone))):
        yield Sample(families.PROCESSES, (state,), number)
    modes = Counter(rule.mode for rule in policy.rules)
    yield from (Sample(families.RULES, (mode,), modes[mode]) for mode in Mode.values)
    for alias in get_settings().replicas:
        yield Sample(families.DRAINED, (alias,), float(alias in policy.drained))


def plan_gauges(plan: RolloutPlan) -> Iterator[Sample]:
    """Yield what there is to say of one plan. Pure."""
    target = (plan.rule.target_kind, plan.rule.target)
    for state in State.values:
        yield Sample(families.PLAN_STATE, (*target, state), float(plan.state == state))
    yield Sample(families.PLAN_STAGE, target, plan.stage + 1)
    yield Sample(families.PLAN_STAGES, target, len(plan.stages))
    yield Sample(families.PLAN_SHARE, target, float(plan.expected_percent / EVERYBODY))
    if plan.looked_at is not None:
        yield Sample(families.PLAN_LOOKED, target, plan.looked_at.timestamp())
    for guardrail, verdict in plan.verdicts.items():
        trial = str(bool(verdict.get("trial"))).lower()
        for finding in Finding:
            value = float(verdict["finding"] == finding)
            yield Sample(families.VERDICTS, (*target, guardrail, finding.value, trial), value)


def _precedence(rule: Rule, followed: set[tuple[str, str]]) -> tuple[bool, bool, str, str]:
    own = (rule.target_kind, rule.target)
    return own not in followed, of_rule(rule).is_nobody, *own


def _shadow_gauges(rules: Iterable[Rule], now: datetime, using: str) -> Iterator[Sample]:
    compared: Counter[tuple[str, str, str]] = Counter()
    unseen: Counter[tuple[str, str]] = Counter()
    since = now - ALARM_WINDOW
    for bunch in read_bunches(since, using, by_statement=False):
        for target in _targets(bunch.endpoint, bunch.model):
            compared[*target, bunch.outcome] += bunch.count
    for bunch in read_bunches(since, using, by_statement=False, narrowed=ALARMING):
        for target in _targets(bunch.endpoint, bunch.model):
            unseen[target] += bunch.count
    for rule in rules:
        target = (rule.target_kind, rule.target)
        if not rule.shadow_share and not any(compared[*target, outcome] for outcome in Outcome.values):
            continue
        for outcome in Outcome.values:
            yield Sample(families.SHADOW_READS, (*target, outcome), compared[*target, outcome])
        yield Sample(families.UNSEEN_DIVERGENT, target, unseen[target])


def _targets(endpoint: str, model: str) -> tuple[tuple[str, str], ...]:
    return (TargetKind.ENDPOINT.value, endpoint), (TargetKind.MODEL.value, model)
