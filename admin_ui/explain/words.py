"""An explanation as people and programs read it."""

from typing import Any

from rollout.reasons import Reason
from routers.explaining.rungs import Explanation, Rung
from routers.explaining.supposing import SupposedRead

HOW_SEEN = "Replicas are shown as this process sees them now."


def summary(explanation: Explanation) -> str:
    """Say in one sentence where the read goes and why."""
    decision = explanation.decision
    pool = decision.terms.pool if decision.terms is not None else ""
    if decision.reason.chooses_replica:
        place = f"A replica of the pool “{pool}”" if explanation.leaves_actor_open else decision.alias
        return f"{place} serves it. {decision.reason.label}."
    return f"“{decision.alias}”, the primary, serves it. {decision.reason.label}."


def asides(explanation: Explanation) -> list[str]:
    """Say what else should be known: where it goes for others, and if everything let it pass."""
    other, imagined, decision = explanation.otherwise, explanation.imagined, explanation.decision
    if other is not None:
        where = "a replica serves it" if other.reason.chooses_replica else f"“{other.alias}” serves it"
        return [f"If what is not known here about the reader opens the gate, {where} ({other.reason.value})."]
    if imagined is None or decision.reason.chooses_replica or not imagined.reason.chooses_replica:
        return []
    stops = sum(rung.reason is not None for rung in explanation.rungs) - 1
    rungs = "that rung" if stops == 1 else f"the {stops} rungs that stop it"
    where = "a replica" if explanation.leaves_actor_open else imagined.alias
    return [f"If {rungs} let it pass, {where} would serve it."]


def verdict(rung: Rung) -> str:
    """Say in a word or two what a rung says."""
    if not rung.is_asked:
        return "not asked"
    if rung.reason is None:
        return "passes"
    if rung.decides:
        return f"decides: {rung.reason.value}"
    leads_on = rung.reason.chooses_replica or rung.reason is Reason.OBSERVED
    return f"would be {rung.reason.value}" if leads_on else f"would stop it: {rung.reason.value}"


def as_json(read: SupposedRead, explanation: Explanation) -> dict[str, Any]:
    """Return everything, as JSON can hold it."""
    decision = explanation.decision
    return {
        "endpoint": read.endpoint,
        "model": read.model._meta.label if read.model is not None else None,
        "method": read.method,
        "actor": read.actor,
        "user": None if read.user is None else read.user.get_username(),
        "alias": decision.alias,
        "reason": decision.reason.value,
        "summary": summary(explanation),
        "candidate": decision.candidate or None,
        "otherwise": None if explanation.otherwise is None else explanation.otherwise.reason.value,
        "notes": asides(explanation),
        "rungs": [
            {
                "name": rung.step.name.lower(),
                "title": rung.step.value,
                "decides": rung.decides,
                "asked": rung.is_asked,
                "reason": None if rung.reason is None else rung.reason.value,
                "facts": list(rung.facts),
            }
            for rung in explanation.rungs
        ],
    }
