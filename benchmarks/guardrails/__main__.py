"""`python -m benchmarks.guardrails`."""

import argparse
import json
import sys
from collections.abc import Sequence
from random import Random
from statistics import median
from typing import Any

from benchmarks.bounds import missed
from benchmarks.guardrails import __doc__ as description
from benchmarks.guardrails.entry import bounds
from benchmarks.guardrails.rollouts import STAGES, Begin, Ended, Rollout
from benchmarks.guardrails.traffic import TRAFFIC, WINDOW_SECONDS, Regression
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.progress import say

ROLLOUTS = 10_000

_NAME = "guardrails"
_FIRST, _LAST = 1, len(STAGES) - 1
_PART, _LAST_PART = 10, 50
_TOLD = 500


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.guardrails",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--rollouts", type=int, default=ROLLOUTS, help="how many without a regression are simulated")
    found.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    if options.rollouts < 1:
        parser().error(f"--rollouts {options.rollouts} simulates nothing. Give 1 or more.")
    figures = attempt(lambda: measure(options.rollouts, options.seed))
    if figures is None:
        return FAILED
    print(json.dumps(figures) if options.json else json.dumps(figures, indent=2))  # noqa: T201 - its output
    return status(_NAME, missed(bounds(figures)))


def measure(rollouts: int, seed: int) -> dict[str, Any]:
    """Simulate them all and return the figures."""
    good: list[Ended] = []
    for number in range(rollouts):
        good.append(_run(f"{seed} good {number}", None))
        if len(good) % _TOLD == 0:
            back = sum(ended.is_back for ended in good)
            say(_NAME, f"{back} of {len(good):,} rollouts that change nothing were taken back")
    bad, late = {}, {}
    for kind in Regression:
        bad[kind] = [_begun(seed, kind, number, _FIRST, _LAST - 1) for number in range(max(1, rollouts // _PART))]
        late[kind] = [_begun(seed, kind, number, _LAST, _LAST) for number in range(max(1, rollouts // _LAST_PART))]
        back = sum(ended.is_back for ended in bad[kind])
        say(_NAME, f"{kind}: {back} of {len(bad[kind]):,} regressions were detected")
    return {
        "false_rollback_rate": _share([ended.is_back for ended in good]),
        "detection": {kind: _share([ended.is_back for ended in bad[kind]]) for kind in bad},
        "median_sample": {kind: _median([ended.sample for ended in bad[kind] if ended.is_back]) for kind in bad},
        "median_seconds": {
            kind: _median([ended.sample_seconds for ended in bad[kind] if ended.is_back]) for kind in bad
        },
        "fixed_threshold": {
            "false_rollback_rate": _share([ended.flagger for ended in good]),
            "detection": {kind: _share([ended.flagger for ended in bad[kind]]) for kind in bad},
        },
        "argo": {
            "false_rollback_rate": _share([ended.argo for ended in good]),
            "detection": {kind: _share([ended.argo for ended in bad[kind]]) for kind in bad},
        },
        "by_traffic": {rate: _of_traffic(rate, good, bad) for rate in TRAFFIC},
        "detection_at_100": {kind: _share([ended.is_back for ended in late[kind]]) for kind in late},
        "held": _share([ended.is_held for ended in good]),
        "rollouts": {"good": len(good), "bad": {kind: len(bad[kind]) for kind in bad}},
    }


def _of_traffic(rate: int, good: Sequence[Ended], bad: dict[Regression, list[Ended]]) -> dict[str, Any]:
    these = {kind: [ended for ended in bad[kind] if ended.rate == rate] for kind in bad}
    found = {kind: [ended.sample_seconds for ended in these[kind] if ended.is_back] for kind in these}
    same = [ended for ended in good if ended.rate == rate]
    return {
        "false_rollback_rate": _share([ended.is_back for ended in same]),
        "median_minutes": _median([ended.seconds / 60 for ended in same]),
        "detection": {kind: _share([ended.is_back for ended in these[kind]]) for kind in these},
        "median_seconds": {kind: _median(found[kind]) for kind in these},
    }


def _begun(seed: int, kind: Regression, number: int, first: int, last: int) -> Ended:
    """Simulate one rollout with a regression that begins in one of the stages."""
    name = f"{seed} {kind} {first} {number}"
    random = Random(f"{name} begin")  # noqa: S311 - a simulation
    stage = random.randint(first, last)
    window = random.randrange(STAGES[stage].seconds // WINDOW_SECONDS)
    return _run(name, Begin(kind, stage, window * WINDOW_SECONDS))


def _run(name: str, begin: Begin | None) -> Ended:
    return Rollout(Random(name), begin).run()  # noqa: S311 - a simulation


def _share(whether: Sequence[bool]) -> float | None:
    return round(sum(whether) / len(whether), 5) if whether else None


def _median(values: Sequence[float]) -> float | None:
    return round(median(values)) if values else None


if __name__ == "__main__":
    sys.exit(main())
