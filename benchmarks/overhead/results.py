"""What the rounds come to."""

from collections.abc import Iterable
from random import Random
from typing import Any

from benchmarks.overhead.blocks import Answer, Block, What
from benchmarks.overhead.content import RULES
from benchmarks.overhead.figures import (
    UnsoundError,
    added,
    first_decision,
    microseconds,
    quiet_ratio,
    read_ratio,
)
from benchmarks.overhead.installing import COMPARED, CONSTANT, MULTIDB, NO_ROUTER
from benchmarks.overhead.rounds import BLOCKS, PAIRS, READ, Findings
from benchmarks.overhead.stack import CREW, own
from benchmarks.systems import OWN

_MOST_LEFT_OUT = 0.1


def results(findings: Findings, dice: Random) -> dict[str, Any]:
    """Return the figures by name. Raises `UnsoundError` when Readshift has seldom routed."""
    is_missing = any((block, name) not in findings.took for block in BLOCKS for name in CREW)
    if is_missing or findings.left_out > _MOST_LEFT_OUT * findings.measured:
        raise UnsoundError(
            f"Readshift read from the primary in {findings.left_out} of {findings.measured} blocks, so that the others "
            "say little. Look at whether the standbys keep up."
        )
    took = findings.took
    sync, asynchronous = (_of(findings, is_async=is_async) for is_async in (False, True))
    answers = [findings.pairs[READ, name] for name in PAIRS[READ]]
    pairs = [_times(turns) for turns in answers]
    reads = read_ratio(pairs[0], pairs[1], pairs[2], dice)
    rules = {
        str(count): {
            "decision_us": microseconds(took, Block(What.DECISION), own(count)),
            "first_decision_us": first_decision(took, own(count)),
        }
        for count in RULES
    }
    few, many = rules[str(min(RULES))], rules[str(max(RULES))]
    return {
        "decision_us": sync["decision_us"],
        "ratio_to_multidb": sync["ratio_to_multidb"],
        "read_ratio_to_constant": reads.value,
        "request_us": max(sync["request_us"], asynchronous["request_us"]),
        "rules_10000_ratio": max(many[figure] / few[figure] for figure in few),
        "read_ratio_interval": [reads.low, reads.high],
        "read_ratio_of_constants": reads.control,
        "read_ratio_undisturbed": quiet_ratio(*pairs),
        "read_added_cpu_us": added(*([answer.cpu for answer in turns] for turns in answers[:2])),
        "first_decision_us": {name: first_decision(took, name) for name in COMPARED},
        "read_us": {name: microseconds(took, READ, name) for name in COMPARED},
        "request_sync_us": sync["request_us"],
        "rules": rules,
        "async": asynchronous,
        "left_out_share": findings.left_out / findings.measured,
    }


def _of(findings: Findings, *, is_async: bool) -> dict[str, Any]:
    took = findings.took
    decision, read, request = (Block(what, is_async) for what in (What.DECISION, What.READ, What.REQUEST))
    decisions = {name: microseconds(took, decision, name) for name in COMPARED if _routes(findings, decision, name)}
    return {
        "decision_us": {name: decisions.get(name) for name in COMPARED},
        "ratio_to_multidb": decisions[OWN] / decisions[MULTIDB],
        "read_ratio_to_constant": microseconds(took, read, OWN) / microseconds(took, read, CONSTANT),
        "request_us": added(*(_times(findings.pairs[request, name]) for name in (OWN, NO_ROUTER))),
    }


def _times(answers: Iterable[Answer]) -> list[float]:
    return [answer.nanoseconds for answer in answers]


def _routes(findings: Findings, block: Block, name: str) -> bool:
    """Say whether its answer means anything: under ASGI, what knows threads alone sends every read to the primary."""
    return name == NO_ROUTER or findings.aliases[block, name] != {"default"}
