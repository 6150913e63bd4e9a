"""What a run found. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rollback:
    """How one fault ended.

    seconds: from the fault to the last read of the catalogue that a replica served; None when it was never taken back.
    affected_reads: how many the bad replica served meanwhile. percent: the stage in which it happened. event: what the
    record says of the rollback, the reason first.
    """

    fault: str
    seconds: float | None
    affected_reads: int
    percent: float
    event: Mapping[str, Any]


@dataclass(slots=True)
class Figures:
    """All rollbacks of a run, and how many requests failed in all."""

    rollbacks: list[Rollback] = field(default_factory=list)
    http_errors: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the result: the longest time and all reads, and the same by fault."""
        times = [each.seconds for each in self.rollbacks]
        return {
            "seconds_fault_to_rollback": None if None in times else max(filter(None, times), default=None),
            "users_affected_reads": sum(each.affected_reads for each in self.rollbacks),
            "http_errors": self.http_errors,
            "faults": {
                each.fault: {
                    "percent": each.percent,
                    "seconds_fault_to_rollback": each.seconds,
                    "users_affected_reads": each.affected_reads,
                    "event": dict(each.event),
                }
                for each in self.rollbacks
            },
        }
