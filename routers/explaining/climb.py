"""The ladder explained: which rung decides about a read, and what each of the others would say.

The decision is that of `routers.ladder.decide`, and so is every rung's answer: the ladder is run again with the rungs
above it out of the way. Words are put to it in `routers.rungs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from rollout.models.rule import Mode
from rollout.policy import Policy, Rule
from rollout.reasons import Reason
from routers.decisions import Decision
from routers.ladder import Situation, decide


class Step(StrEnum):
    """The rungs, in the order in which they are asked. The value is what a person reads."""

    PROCESS = "Policy"
    KILL_SWITCH = "Kill switch"
    DENY_LIST = "Deny list"
    BLOCK = "Blocks in the code"
    TRANSACTION = "Transaction"
    WRITES = "Earlier writes"
    METHOD = "HTTP method"
    RULES = "Rules"
    GATES = "Gates"
    CONTRACT = "Freshness contract"
    POOL = "Pool"
    REPLICA = "The actor's replica"
    BUDGET = "Fallback budget"
    OUTCOME = "Outcome"


REASONS: Mapping[Step, frozenset[Reason]] = {
    Step.PROCESS: frozenset({Reason.DISABLED, Reason.POLICY_MISSING, Reason.POLICY_STALE}),
    Step.KILL_SWITCH: frozenset({Reason.KILL_SWITCH}),
    Step.DENY_LIST: frozenset({Reason.DENIED}),
    Step.BLOCK: frozenset({Reason.FORCED_PRIMARY}),
    Step.TRANSACTION: frozenset({Reason.IN_TRANSACTION}),
    Step.WRITES: frozenset({Reason.HAS_WRITTEN}),
    Step.METHOD: frozenset({Reason.UNSAFE_METHOD}),
    Step.RULES: frozenset({Reason.NO_RULE, Reason.PINNED, Reason.CONTRADICTION}),
    Step.GATES: frozenset({Reason.GATE_MISSING, Reason.GATE_OFF}),
    Step.CONTRACT: frozenset({Reason.STRICT}),
    Step.POOL: frozenset({Reason.NO_REPLICA}),
    Step.REPLICA: frozenset({Reason.UNFIT_REPLICA, Reason.FOREIGN_TOKEN, Reason.BEHIND, Reason.TOO_OLD}),
    # The budget is the process's, and asked when the read comes: nobody can say beforehand what it leaves.
    Step.BUDGET: frozenset(),
    Step.OUTCOME: frozenset({Reason.OBSERVED, Reason.FORCED_REPLICA, Reason.ROUTED}),
}
"""Every reason that the ladder can give, by the rung that gives it."""

STEP_OF: Mapping[Reason, Step] = {reason: step for step, reasons in REASONS.items() for reason in reasons}
_ORDER = tuple(Step)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rung says about the read, if the rungs above it let it pass.

    reason: what it decides by; None where it lets the read pass. said: where the read goes then; None where nothing is
    left to be asked, because a rung above this one leaves open what it asks about.
    """

    step: Step
    reason: Reason | None = None
    said: Decision | None = None

    @property
    def is_asked(self) -> bool:
        return self.said is not None


@dataclass(frozen=True, slots=True)
class Climb:
    """A read's way up the ladder.

    decision: where it goes. answers: one of each rung, in their order. imagined: where it would go if every rung let
    it pass that can; None where one cannot.
    """

    decision: Decision
    answers: tuple[Answer, ...]
    imagined: Decision | None

    @property
    def deciding(self) -> Step:
        """The rung that decides."""
        return STEP_OF[self.decision.reason]


def asked_once(situation: Situation) -> Situation:
    """Return a situation in which what costs a question, such as how far a replica is, is asked once and stays so."""
    return replace(
        situation,
        opens=cache(situation.opens),
        is_gone=cache(situation.is_gone),
        objection=cache(situation.objection),
    )


def climb(policy: Policy | None, situation: Situation) -> Climb:
    """Take a read up the ladder, and ask each rung what it would say. What costs a question is asked once."""
    asked = asked_once(situation)
    decision = decide(policy, asked)
    answers: list[Answer] = []
    rest: _Rest | None = (policy, asked)
    imagined: Decision | None = decision
    for step in _ORDER:
        said = decide(*rest) if rest is not None else None
        # A rung above this one may have turned up that cannot be imagined away.
        if said is None or _ORDER.index(STEP_OF[said.reason]) < _ORDER.index(step):
            rest = imagined = None
            answers.append(Answer(step))
            continue
        reason = said.reason if said.reason in REASONS[step] else None
        answers.append(Answer(step, reason, said))
        imagined = said
        if reason is not None and rest is not None:
            rest = _without(step, reason, *rest)
    return Climb(decision, tuple(answers), imagined)


_Rest = tuple[Policy | None, Situation]


_LASTING = frozenset({Reason.NO_RULE, Reason.CONTRADICTION, Reason.STRICT, Reason.NO_REPLICA})
"""Reasons that cannot be imagined away: what would be asked next depends on what took their place."""

_PASSING: Mapping[Step, Mapping[str, object]] = {
    Step.PROCESS: {"obstacle": None},
    Step.DENY_LIST: {"is_denied": False},
    Step.TRANSACTION: {"in_transaction": False},
    Step.WRITES: {"has_written": False},
    Step.METHOD: {"is_safe": True},
    Step.GATES: {"opens": lambda _: True},
    Step.REPLICA: {"objection": lambda *_: None},
}
"""What a situation is like to which a rung does not object."""


def _without(step: Step, reason: Reason, policy: Policy | None, situation: Situation) -> _Rest | None:
    """Return the policy and the situation without what this rung objects to, or None if there is no such thing."""
    if policy is None or reason in _LASTING:
        return None
    if step is Step.BLOCK and situation.block is not None:
        situation = replace(situation, block=replace(situation.block, forces_primary=False))
    if step is Step.KILL_SWITCH:
        policy = replace(policy, enabled=True)
    if step is Step.RULES:
        policy = _with_rules(policy, mode=Mode.ROUTE.value)
    if step is Step.GATES:
        policy = _with_rules(policy, gate_kind="", gate=None)
    return policy, replace(situation, **_PASSING.get(step, {}))  # type: ignore[arg-type]


def _with_rules(policy: Policy, **changes: object) -> Policy:
    """Return the policy with all of its rules changed like this."""

    def changed(rules: Mapping[str, Rule]) -> dict[str, Rule]:
        return {target: replace(rule, **changes) for target, rule in rules.items()}  # type: ignore[arg-type]

    return replace(policy, endpoint_rules=changed(policy.endpoint_rules), model_rules=changed(policy.model_rules))
