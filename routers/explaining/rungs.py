"""A read explained: every rung of the ladder with its facts, which one decides, and where the read goes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from rollout.conditions import conditions_of
from rollout.policy import Policy, Rule
from rollout.reasons import Reason
from routers.decisions import Decision, Terms
from routers.explaining import keeping, serving
from routers.explaining.cases import Case, Sight
from routers.explaining.climb import Answer, Step, asked_once, climb
from routers.ladder import Situation, decide


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung.

    reason: what it decides by if the rungs above it let the read pass; None where it lets it pass itself, or where it
    is not asked. facts: what it goes by, in sentences. decides: whether it is the one that the read stops at.
    """

    step: Step
    reason: Reason | None
    facts: tuple[str, ...]
    is_asked: bool
    decides: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a read goes where it goes.

    decision: the ladder's own. imagined: where it would go if every rung let it pass, or None if one cannot.
    otherwise: where it goes if what is not known about the reader opens the gates that are closed so far; None if that
    changes nothing. leaves_actor_open: whether no actor is given, so that the replica stands for any of its pool.
    """

    decision: Decision
    rungs: tuple[Rung, ...]
    imagined: Decision | None
    otherwise: Decision | None
    leaves_actor_open: bool


def explain(policy: Policy | None, situation: Situation, sight: Sight) -> Explanation:
    """Explain where this read goes. Costs no more than what the situation's functions do, each asked once."""
    situation = asked_once(situation)
    climbed, case = climb(policy, situation), Case(policy, situation, sight)
    return Explanation(
        decision=climbed.decision,
        rungs=tuple(
            Rung(
                answer.step,
                answer.reason,
                _facts(case, answer),
                answer.is_asked,
                decides=answer.step is climbed.deciding,
            )
            for answer in climbed.answers
        ),
        imagined=climbed.imagined,
        otherwise=_otherwise(case, climbed.decision),
        leaves_actor_open=sight.subject.actor is None,
    )


def _otherwise(case: Case, decision: Decision) -> Decision | None:
    """Return the decision for a reader whom every gate lets through that may, or None if it is the same."""

    def may_open(rule: Rule) -> bool:
        conditions = conditions_of(rule.gate, case.sight.subject) if rule.gate is not None else ()
        return case.situation.opens(rule) or any(condition.holds is None for condition in conditions)

    if decision.reason is not Reason.GATE_OFF:
        return None
    found = decide(case.policy, replace(case.situation, opens=may_open))
    return None if found.reason is Reason.GATE_OFF else found


def _facts(case: Case, answer: Answer) -> tuple[str, ...]:
    said = answer.said
    if said is None:
        return ("Not asked: a rung above leaves open what this one asks about.",)
    if said.terms is not None and answer.step in _OF_TERMS:
        return tuple(_OF_TERMS[answer.step](case, said.terms))
    return (_outcome(case, said),) if answer.step is Step.OUTCOME else tuple(_OF_CASE[answer.step](case))


def _outcome(case: Case, said: Decision) -> str:
    if said.candidate:
        return f"“{said.alias}”, the primary, serves the read; {said.candidate} would if a rule routed it."
    if said.alias == case.situation.cluster.primary:
        return f"“{said.alias}”, the primary, serves the read."
    return f"{said.alias} serves the read."


_OF_CASE: Mapping[Step, Callable[[Case], Iterator[str]]] = {
    Step.PROCESS: keeping.process,
    Step.KILL_SWITCH: keeping.kill_switch,
    Step.DENY_LIST: keeping.deny_list,
    Step.BLOCK: keeping.block,
    Step.TRANSACTION: keeping.transaction,
    Step.WRITES: keeping.writes,
    Step.METHOD: keeping.method,
    Step.RULES: keeping.rules,
    Step.GATES: keeping.gates,
}
_OF_TERMS: Mapping[Step, Callable[[Case, Terms], Iterator[str]]] = {
    Step.CONTRACT: serving.contract,
    Step.POOL: serving.pool,
    Step.REPLICA: serving.replica,
    Step.BUDGET: serving.budget,
}
