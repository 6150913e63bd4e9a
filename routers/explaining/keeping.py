"""The rungs that keep a read on the primary before any replica is looked at, in words. Pure."""

from collections.abc import Iterator

from rollout.conditions import conditions_of
from rollout.models.rule import GateKind
from rollout.policy import KILL_SWITCH
from routers.explaining.cases import Case


def process(case: Case) -> Iterator[str]:
    if case.situation.obstacle is not None:
        yield f"{case.situation.obstacle.label}."
    if case.policy is None:
        yield "There is no policy."
    else:
        yield f"The policy has the revision {case.policy.revision} and {_count(len(case.policy.rules), 'rule')}."


def kill_switch(case: Case) -> Iterator[str]:
    is_on = case.policy is not None and case.policy.enabled
    yield f"The switch “{KILL_SWITCH}” {'is on' if is_on else 'is off, or does not exist'}."


def deny_list(case: Case) -> Iterator[str]:
    entry = case.sight.denied_by
    if not case.situation.model:
        yield "No model is named. Users, sessions and others on the deny list stay on the primary."
    elif not entry:
        yield f"Neither {case.situation.model} nor its app is on the list."
    else:
        by_host = ', by READSHIFT["DENY"]' if entry in case.sight.settings.deny else ""
        yield f"“{entry}” is on the list{by_host}."


def block(case: Case) -> Iterator[str]:
    block = case.situation.block
    if block is None or not block.steers:
        yield "Taken to run in no use_primary(), use_replica() or use_contract() block."
        return
    if block.forces_primary:
        yield "Inside use_primary()."
    if block.pool is not None:
        yield f"Inside use_replica(), for the pool “{block.pool}”: neither method, nor rules, nor gates are asked."
    if block.contract is not None:
        yield f'Inside use_contract("{block.contract}").'


def transaction(case: Case) -> Iterator[str]:
    primary = case.situation.cluster.primary
    if case.situation.in_transaction:
        yield f"In a transaction on “{primary}”."
    else:
        yield f"Taken to run in no transaction on “{primary}”. That of ATOMIC_REQUESTS does not count."


def writes(case: Case) -> Iterator[str]:
    primary = case.situation.cluster.primary
    if case.situation.has_written:
        yield f"The unit has written to “{primary}”."
    else:
        yield f"The unit is taken to have written nothing to “{primary}” before."


def method(case: Case) -> Iterator[str]:
    if case.is_in_use_replica:
        yield "Not asked inside use_replica()."
    else:
        yield f"{case.sight.method} {'only reads' if case.situation.is_safe else 'may write'}."


def rules(case: Case) -> Iterator[str]:
    for rule in case.rules:
        yield f"The rule for {rule}: mode {rule.mode}, pool “{rule.pool}”, contract {rule.contract}."
    names = f"the endpoint {case.situation.endpoint}" + (
        f" or the model {case.situation.model}" if case.situation.model else ""
    )
    if not case.rules:
        yield f"No rule names {names}."
    elif not case.situation.model:
        yield "No model is named. A rule for the model that is read must let it go as well."


def gates(case: Case) -> Iterator[str]:
    if case.is_in_use_replica:
        yield "Not asked inside use_replica()."
        return
    for rule in case.rules:
        if rule.gate is None and not rule.gate_kind:
            yield f"The rule for {rule} has no gate: it is on for everybody."
            continue
        name = f"The {GateKind(rule.gate_kind).label.lower()} “{rule.gate_name}” of the rule for {rule}"
        if rule.gate is None:
            yield f"{name} does not exist."
            continue
        yield f"{name} is {'open' if case.situation.opens(rule) else 'closed'} here."
        yield from (condition.words for condition in conditions_of(rule.gate, case.sight.subject))


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
