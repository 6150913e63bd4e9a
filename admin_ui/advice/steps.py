"""The next step for one endpoint: an exact command, or a setting. Pure."""

from collections.abc import Sequence
from shlex import quote

from admin_ui.advice.evidence import Evidence
from admin_ui.advice.risks import Hazard, Level, Risk
from rollout.contracts import Freshness
from rollout.models import GateKind, Mode
from rollout.policy import Rule
from rollout.reasons import Reason

_FIRST = {
    Hazard.DIVERGENT: "Find out why its answers differ before anything else: manage.py readshift shadow {endpoint}",
    Hazard.SAFE_WRITE: "Take the write out of its safe requests first, or have it read within use_primary() what the "
    "write rests on.",
    Hazard.WRITE_AFTER_READ: "Have it read within use_primary(), or in the transaction of the write, what the write "
    "rests on.",
    Hazard.CONFLICT: "Make its slow reads faster, or give them a pool of replicas with a longer "
    "max_standby_streaming_delay.",
    Hazard.REPLAYED: "Find out why replicas fail to answer it: the log named “readshift” says more.",
    Hazard.OWN_WRITES: 'Let its reads wait for the replica a little: READSHIFT["WAIT_SECONDS"].',
}


_OF_OTHER_RULES = frozenset({Reason.GATE_OFF, Reason.GATE_MISSING, Reason.OBSERVED, Reason.CONTRADICTION})


def next_step(evidence: Evidence, level: Level, risks: Sequence[Risk], rule_address: str) -> str:
    """Return what to do next about an endpoint.

    rule_address: where a rule for it is added or changed.
    """
    rule = evidence.rule
    is_settled = rule is None or rule.mode == Mode.ROUTE
    if is_settled and not evidence.movable and not evidence.undecided:
        return "Nothing: another rule would move none of its reads."
    first = _FIRST[risks[0].hazard].format(endpoint=quote(evidence.endpoint)) if level is Level.HIGH and risks else ""
    if rule is not None:
        return first or _obstacle(rule, rule_address) or _further(rule, evidence, rule_address)
    if evidence.sums.on_replicas or not _OF_OTHER_RULES.isdisjoint(evidence.on_primary):
        return first or (
            "Rules for its models, or blocks in its code, lead its reads already. Take those further: a rule for the "
            "endpoint could only hold them back."
        )
    step = f"add a rule for it in mode observe: {rule_address}"
    return f"{first} Then {step}" if first else f"Observe first: {step}"


def _obstacle(rule: Rule, rule_address: str) -> str:
    """Return what to change about a rule that moves nothing as it is, or nothing."""
    if rule.mode == Mode.PIN:
        return f"A rule pins it. Once the reason is gone, put the rule into mode observe: {rule_address}"
    if rule.is_gate_missing:
        return f"Create the {rule.gate_kind} “{rule.gate_name}” of its rule, or choose another gate: {rule_address}"
    if rule.contract.freshness is Freshness.STRICT:
        return f"Its rule is strict, which moves nothing. Choose another freshness contract: {rule_address}"
    return ""


def _further(rule: Rule, evidence: Evidence, rule_address: str) -> str:
    """Return how to let a rule move more."""
    target, plan = quote(evidence.endpoint), f"manage.py readshift plan {quote(f'endpoint:{evidence.endpoint}')}"
    if rule.mode == Mode.OBSERVE and not evidence.shadows.compared:
        asked = "Wait for its shadow reads" if rule.shadow_share else "Have 1 percent of its reads compared"
        place = "" if rule.shadow_share else f": {rule_address}"
        return f"{asked}{place}, and then: manage.py readshift shadow {target}"
    if rule.gate_kind != GateKind.FLAG:
        return f"Give its rule a flag: {rule_address}, and then: {plan}"
    if rule.mode == Mode.OBSERVE:
        return f"Start a rollout: {plan} --template careful"
    return f"Open its flag further, in stages: {plan} --template careful"
