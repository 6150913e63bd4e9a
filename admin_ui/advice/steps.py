"""The next step for one endpoint: an exact command, or a setting. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from shlex import quote

from admin_ui.advice.evidence import Evidence
from admin_ui.advice.risks import Hazard, Level, Risk
from rollout.contracts import Freshness
from rollout.models import GateKind, Mode
from rollout.policy import Rule
from rollout.reasons import Reason


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do. address: the page on which to do it, or empty. command: what to run, afterwards if both, or empty."""

    words: str
    address: str = ""
    command: str = ""

    def __str__(self) -> str:
        places = ", and then: ".join(place for place in (self.address, self.command) if place)
        return f"{self.words}: {places}" if places else f"{self.words}."


_FIRST = {
    Hazard.DIVERGENT: "Find out why its answers differ before anything else",
    Hazard.SAFE_WRITE: "Take the write out of its safe requests first, or have it read within use_primary() what the "
    "write rests on",
    Hazard.WRITE_AFTER_READ: "Have it read within use_primary(), or in the transaction of the write, what the write "
    "rests on",
    Hazard.CONFLICT: "Make its slow reads faster, or give them a pool of replicas with a longer "
    "max_standby_streaming_delay",
    Hazard.REPLAYED: "Find out why replicas fail to answer it: the log named “readshift” says more",
    Hazard.OWN_WRITES: 'Let its reads wait for the replica a little: READSHIFT["WAIT_SECONDS"]',
}

_OF_OTHER_RULES = frozenset({Reason.GATE_OFF, Reason.GATE_MISSING, Reason.OBSERVED, Reason.CONTRADICTION})


def next_step(evidence: Evidence, level: Level, risks: Sequence[Risk], rule_address: str) -> NextStep:
    """Return what to do next about an endpoint. rule_address: where a rule for it is added or changed."""
    rule = evidence.rule
    is_settled = rule is None or rule.mode == Mode.ROUTE
    if is_settled and not evidence.movable and not evidence.undecided:
        return NextStep("Nothing: another rule would move none of its reads")
    first = _first(evidence, level, risks)
    if rule is not None:
        return first or _obstacle(rule, rule_address) or _further(rule, evidence, rule_address)
    if evidence.sums.on_replicas or not _OF_OTHER_RULES.isdisjoint(evidence.on_primary):
        return first or NextStep(
            "Rules for its models, or blocks in its code, lead its reads already. Take those further: a rule for the "
            "endpoint could only hold them back"
        )
    if first is not None and not first.command:
        return replace(first, words=f"{first.words}. Then add a rule for it in mode observe", address=rule_address)
    return first or NextStep("Observe first: add a rule for it in mode observe", rule_address)


def _first(evidence: Evidence, level: Level, risks: Sequence[Risk]) -> NextStep | None:
    """Return what to do about the gravest hazard before any read moves, or None where there is no high risk."""
    if level is not Level.HIGH or not risks:
        return None
    hazard = risks[0].hazard
    is_divergent = hazard is Hazard.DIVERGENT
    return NextStep(_FIRST[hazard], command=_shadow_command(evidence) if is_divergent else "")


def _obstacle(rule: Rule, rule_address: str) -> NextStep | None:
    """Return what to change about a rule that moves nothing as it is, or None."""
    if rule.mode == Mode.PIN:
        return NextStep("A rule pins it. Once the reason is gone, put the rule into mode observe", rule_address)
    if rule.is_gate_missing:
        words = f"Create the {rule.gate_kind} “{rule.gate_name}” of its rule, or choose another gate"
        return NextStep(words, rule_address)
    if rule.contract.freshness is Freshness.STRICT:
        return NextStep("Its rule is strict, which moves nothing. Choose another freshness contract", rule_address)
    return None


def _further(rule: Rule, evidence: Evidence, rule_address: str) -> NextStep:
    """Return how to let a rule move more."""
    plan = f"manage.py readshift plan {quote(f'endpoint:{evidence.endpoint}')} --template careful"
    if rule.mode == Mode.OBSERVE and not evidence.shadows.compared:
        if rule.shadow_share:
            return NextStep("Wait for its shadow reads", command=_shadow_command(evidence))
        return NextStep("Have 1 percent of its reads compared", rule_address, _shadow_command(evidence))
    if rule.gate_kind != GateKind.FLAG:
        return NextStep("Give its rule a flag", rule_address, plan)
    if rule.mode == Mode.OBSERVE:
        return NextStep("Start a rollout", command=plan)
    return NextStep("Open its flag further, in stages", command=plan)


def _shadow_command(evidence: Evidence) -> str:
    return f"manage.py readshift shadow {quote(evidence.endpoint)}"
