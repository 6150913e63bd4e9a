"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form
from rollout.options import Settings

LISTENER, POLLING = "listener", "without_listener"
PHASES = (LISTENER, POLLING)
MARGIN_MS = 250.0
"""How long a change may take beyond what polling takes."""

_BOUNDS_MS = {LISTENER: MARGIN_MS, POLLING: 1000 * Settings().policy_poll_seconds + MARGIN_MS}


def bounds(result: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result. The figures of the listener are at the top of it."""
    return [
        bound
        for phase in PHASES
        if (figures := result.get(phase) if phase == POLLING else _listener(result)) is not None
        for bound in of_phase(phase, figures)
    ]


def of_phase(phase: str, figures: Mapping[str, Any]) -> Iterator[Bound]:
    """Yield the bounds of one phase."""
    prefix = f"{phase}." if phase == POLLING else ""
    yield Bound(f"{prefix}p99_ms", figures["p99_ms"], most=_BOUNDS_MS[phase])
    yield Bound(f"{prefix}stale_reads_after_ack", figures["stale_reads_after_ack"], most=0)
    yield Bound(f"{prefix}unacknowledged", figures["unacknowledged"], most=0)


def _listener(result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return result if "p99_ms" in result else None


ENTRY = Entry(
    short=Form(
        "--changes 20 --phase listener",
        240,
        "The short form makes 20 changes, of which the slowest counts, and none through PgBouncer.",
    ),
    full=Form("", 1800),
    bounds=bounds,
)
