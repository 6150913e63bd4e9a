"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form

LONGEST_SECONDS = 15.0


def bounds(result: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result: of each fault how long it took, null when it was never, and a record of why."""
    return [
        bound
        for fault, found in result["faults"].items()
        for bound in (
            Bound(
                f"faults.{fault}.seconds_fault_to_rollback", found["seconds_fault_to_rollback"], most=LONGEST_SECONDS
            ),
            Bound(f"events of {fault} that say why", int(bool(found["event"].get("why"))), least=1),
        )
    ]


ENTRY = Entry(
    short=Form("--fault slow_processor", 240, "The short form injects one of two faults."),
    full=Form("", 900),
    bounds=bounds,
)
