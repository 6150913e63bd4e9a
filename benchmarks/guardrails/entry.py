"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form

MOST_FALSE_ROLLBACKS = 0.01
LEAST_DETECTION = 0.99
FEWEST_JUDGED = 1_000
"""Of fewer rollouts of a kind, a share within a percent is chance."""

_RULES = {"fixed_threshold": "as Flagger", "argo": "as Argo Rollouts"}


def bounds(figures: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result."""
    good, bad = figures["rollouts"]["good"], figures["rollouts"]["bad"]
    return [
        Bound(
            "false_rollback_rate",
            figures["false_rollback_rate"],
            most=MOST_FALSE_ROLLBACKS,
            peers={name: figures[rule]["false_rollback_rate"] for rule, name in _RULES.items()},
            unjudged=_unjudged(good),
        ),
        *(
            Bound(
                f"detection.{kind}",
                share,
                least=LEAST_DETECTION,
                peers={name: figures[rule]["detection"][kind] for rule, name in _RULES.items()},
                unjudged=_unjudged(bad[kind]),
            )
            for kind, share in figures["detection"].items()
        ),
    ]


def _unjudged(rollouts: int) -> str:
    return "" if rollouts >= FEWEST_JUDGED else f"{rollouts:,} rollouts; judged from {FEWEST_JUDGED:,} on"


ENTRY = Entry(
    short=Form(
        "--rollouts 150",
        180,
        "The short form simulates too few rollouts to judge a percent; the other rules differ by more.",
    ),
    full=Form("", 7200),
    bounds=bounds,
)
