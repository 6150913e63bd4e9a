"""The ladder: where one read goes, and why. A pure function; its first rung that matches decides."""

from collections.abc import Callable
from dataclasses import dataclass

from rollout.bucketing import choose
from rollout.models.rule import Mode
from rollout.options import Cluster
from rollout.policy import Policy, Rule
from rollout.reasons import Reason
from routers.unit import Block, Decision


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts about one read.

    obstacle: why the policy cannot be used at all, or None.
    affinity: the key by which a replica is chosen; the same throughout a unit.
    opens: asks a rule's gate, at most once a unit.
    is_pinned: asks whether this actor wrote a moment ago; it may cost a cache call, so only a replica's read asks.
    is_fit: says whether a replica may serve.
    """

    cluster: Cluster
    endpoint: str
    model: str
    is_denied: bool
    is_safe: bool
    in_transaction: bool
    has_written: bool
    block: Block | None
    obstacle: Reason | None
    affinity: str
    opens: Callable[[Rule], bool]
    is_pinned: Callable[[], bool]
    is_fit: Callable[[str], bool]


def decide(policy: Policy | None, situation: Situation) -> Decision:
    """Answer where this read goes. Everything that is in doubt goes to the primary."""
    primary = situation.cluster.primary
    if reason := _stays(policy, situation):
        return Decision(primary, reason)
    if situation.block is not None and situation.block.pool is not None:
        return _replica(situation, situation.block.pool, Reason.FORCED_REPLICA)
    if not situation.is_safe:
        return Decision(primary, Reason.UNSAFE_METHOD)
    rules = policy.rules_for(situation.endpoint, situation.model) if policy else ()
    if reason := _refusal(rules, situation.opens):
        return Decision(primary, reason)
    routed = _replica(situation, rules[0].pool, Reason.ROUTED)
    if routed.reason is Reason.ROUTED and any(rule.mode == Mode.OBSERVE for rule in rules):
        return Decision(primary, Reason.OBSERVED, candidate=routed.alias)
    return routed


def _stays(policy: Policy | None, situation: Situation) -> Reason | None:
    """Return what keeps a read on the primary whatever the rules say."""
    rungs: tuple[tuple[bool, Reason | None], ...] = (
        (situation.obstacle is not None, situation.obstacle),
        (policy is None, Reason.POLICY_MISSING),
        (policy is not None and not policy.enabled, Reason.KILL_SWITCH),
        (situation.is_denied, Reason.DENIED),
        (situation.block is not None and situation.block.forces_primary, Reason.FORCED_PRIMARY),
        (situation.in_transaction, Reason.IN_TRANSACTION),
        (situation.has_written, Reason.HAS_WRITTEN),
    )
    return next((reason for matches, reason in rungs if matches), None)


def _refusal(rules: tuple[Rule, ...], opens: Callable[[Rule], bool]) -> Reason | None:
    """Return why the rules that match do not let the read go, or None when all of them do."""
    if not rules:
        return Reason.NO_RULE
    if any(rule.mode == Mode.PIN for rule in rules):
        return Reason.PINNED
    if len({rule.pool for rule in rules}) > 1:
        return Reason.CONTRADICTION
    if any(rule.is_gate_missing for rule in rules):
        return Reason.GATE_MISSING
    if not all(opens(rule) for rule in rules):
        return Reason.GATE_OFF
    return None


def _replica(situation: Situation, pool: str, reason: Reason) -> Decision:
    if situation.is_pinned():
        return Decision(situation.cluster.primary, Reason.RECENT_WRITE)
    weights = {replica.alias: replica.weight for replica in situation.cluster.replicas if replica.pool == pool}
    alias = choose(weights, situation.affinity)
    if alias is None:
        return Decision(situation.cluster.primary, Reason.NO_REPLICA)
    # Another replica may be behind what the actor's own has shown, so it does not stand in for it.
    if not situation.is_fit(alias):
        return Decision(situation.cluster.primary, Reason.UNFIT_REPLICA)
    return Decision(alias, reason)
