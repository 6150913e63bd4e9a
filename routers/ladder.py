"""The ladder: where one read goes, and why. A pure function; its first rung that matches decides."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from rollout.bucketing import choose, rank
from rollout.contracts import SESSION, Contract, Freshness, strictest
from rollout.models.rule import Mode, OverBudget
from rollout.options import Cluster
from rollout.policy import Policy, Rule
from rollout.reasons import Reason
from routers.decisions import Decision, Terms
from routers.unit import Block


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts about one read.

    obstacle: why the policy cannot be used at all, or None.
    affinity: the key by which a replica is chosen; the same throughout a unit.
    kept: pool to the replica that has served this unit already.
    is_gone: says whether nobody reads from a replica any more, so that others stand in for it.
    opens: asks a rule's gate, at most once a unit.
    objection: says why a replica may not serve under a contract, or None. It may cost a question, so only a read that
        everything else lets go asks; the last argument says whether the read is observed only, and must not ask.
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
    kept: Mapping[str, str]
    opens: Callable[[Rule], bool]
    is_gone: Callable[[str], bool]
    objection: Callable[[str, Contract, bool], Reason | None]


def decide(policy: Policy | None, situation: Situation) -> Decision:
    """Answer where this read goes. Everything that is in doubt goes to the primary."""
    primary, block = situation.cluster.primary, situation.block
    rules = policy.rules_for(situation.endpoint, situation.model) if policy is not None else ()
    pool = block.pool if block is not None else None
    if reason := _stays(policy, situation):
        return Decision(primary, reason, is_displaced=_is_displaced(reason, rules, pool, situation))
    drained = policy.drained if policy is not None else frozenset()
    if pool is not None:
        terms = _terms(situation, rules, pool, drained)
        return _replica(situation, Decision(primary, Reason.FORCED_REPLICA, terms=terms), terms)
    if not situation.is_safe:
        return Decision(primary, Reason.UNSAFE_METHOD, is_displaced=_lets_go(rules))
    if reason := _refusal(rules, situation.opens):
        return Decision(primary, reason, kept_by=_only_closed(rules, reason, situation.opens))
    is_observed = any(rule.mode == Mode.OBSERVE for rule in rules)
    terms = _terms(situation, rules, rules[0].pool, drained, let_go_by=() if is_observed else rules)
    wanted = Decision(primary, Reason.OBSERVED if is_observed else Reason.ROUTED, terms=terms)
    return _replica(situation, wanted, terms)


def unhindered(policy: Policy, situation: Situation) -> Decision:
    """Return where this read would go under this policy, if each replica that has no stand-in could serve."""
    return decide(policy, replace(situation, objection=lambda *_: None))


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


_UNKNOWING = frozenset({Reason.POLICY_MISSING, Reason.POLICY_STALE})
_IN_SPITE_OF_RULES = frozenset({Reason.FORCED_PRIMARY, Reason.IN_TRANSACTION, Reason.HAS_WRITTEN})


def _is_displaced(reason: Reason, rules: tuple[Rule, ...], pool: str | None, situation: Situation) -> bool:
    """Say whether a replica would have served a read that stays on the primary.

    A process without a policy does not know, and others have one.
    """
    if reason in _UNKNOWING:
        return not situation.is_denied
    return reason in _IN_SPITE_OF_RULES and (pool is not None or _lets_go(rules))


def _lets_go(rules: tuple[Rule, ...]) -> bool:
    """Say whether the rules lead to a replica, if their gates are open: those are not asked in vain."""
    return (
        bool(rules)
        and all(rule.mode == Mode.ROUTE and not rule.is_gate_missing for rule in rules)
        and len({rule.pool for rule in rules}) == 1
    )


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


def _only_closed(rules: tuple[Rule, ...], reason: Reason, opens: Callable[[Rule], bool]) -> Rule | None:
    """Return the rule whose gate alone keeps a read on the primary that all the others let go to a replica."""
    if reason is not Reason.GATE_OFF or any(rule.mode != Mode.ROUTE for rule in rules):
        return None
    closed = [rule for rule in rules if not opens(rule)]
    return closed[0] if len(closed) == 1 else None


def _terms(
    situation: Situation,
    rules: tuple[Rule, ...],
    pool: str,
    drained: AbstractSet[str],
    let_go_by: tuple[Rule, ...] = (),
) -> Terms:
    return Terms(
        pool,
        _weights(situation, pool, drained),
        _contract(rules, situation.block),
        _over_budget(rules),
        captured_by=tuple(rule for rule in rules if rule.shadow_share),
        let_go_by=let_go_by,
    )


def _contract(rules: tuple[Rule, ...], block: Block | None) -> Contract:
    """Return the strictest contract that applies. What `use_replica` moves by itself, rules can tighten and no more."""
    asked_for = [rule.contract for rule in rules]
    if block is not None and block.contract is not None:
        asked_for.append(block.contract)
    elif block is not None and block.pool is not None:
        asked_for.append(SESSION)
    return strictest(asked_for)


def _over_budget(rules: tuple[Rule, ...]) -> str:
    """Return what happens to a read over the fallback budget. Of two rules, the one that risks less for it counts."""
    answers = {rule.over_budget for rule in rules} or {OverBudget.PRIMARY.value}
    return next(answer for answer in (OverBudget.PRIMARY, OverBudget.SHED, OverBudget.STALE) if answer in answers).value


def _weights(situation: Situation, pool: str, drained: AbstractSet[str]) -> dict[str, int]:
    members = (replica for replica in situation.cluster.replicas if replica.pool == pool)
    return {replica.alias: replica.weight for replica in members if replica.alias not in drained}


def _replica(situation: Situation, wanted: Decision, terms: Terms) -> Decision:
    """Return the decision for the actor's replica, or for the primary if that one may not serve.

    Another replica may be behind what the actor's own has shown, so none stands in for one that is merely unfit: other
    processes may still read from it.
    """
    is_observed = wanted.reason is Reason.OBSERVED
    if terms.contract.freshness is Freshness.STRICT:
        # A rule that is strict means to read from the primary. A block takes a read away from where its rule sends it.
        by_block = situation.block is not None and situation.block.contract == terms.contract
        return replace(wanted, reason=Reason.STRICT, is_displaced=by_block and not is_observed)
    left = {alias: weight for alias, weight in terms.weights.items() if not situation.is_gone(alias)}
    kept = situation.kept.get(terms.pool)
    alias = kept if kept in left else choose(left, situation.affinity)
    if alias is None:
        is_displaced = terms.pool in situation.cluster.pools and not is_observed
        return replace(wanted, reason=Reason.NO_REPLICA, is_displaced=is_displaced)
    reason = situation.objection(alias, terms.contract, is_observed)
    if reason is Reason.UNFIT_REPLICA and terms.contract.freshness is Freshness.ANY:
        # Nobody minds which replica it is.
        others = (other for other in rank(left, situation.affinity) if other != alias)
        able = next((other for other in others if not situation.objection(other, terms.contract, is_observed)), None)
        alias, reason = (able, None) if able is not None else (alias, reason)
    if reason is not None:
        return replace(wanted, reason=reason, is_displaced=not is_observed)
    return replace(wanted, candidate=alias) if is_observed else replace(wanted, alias=alias)
