"""How a comparison ended. Pure."""

from dataclasses import dataclass, field
from typing import Any

from rollout.outcomes import Outcome, ShadowCause


@dataclass(frozen=True, slots=True)
class Result:
    """How the comparison of one read ended. The fields are those of `rollout.models.ShadowRead`."""

    outcome: Outcome
    cause: ShadowCause | None = None
    replica: str = ""
    staleness_ms: float | None = None
    primary_ms: float | None = None
    replica_ms: float | None = None
    rows: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
