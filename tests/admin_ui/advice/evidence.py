"""Evidence about an endpoint, made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

from admin_ui.advice.evidence import Evidence, Shadows
from admin_ui.advice.ranking import Advisory, advise
from admin_ui.advice.standbys import Patience
from rollout.endpoint_sums import EndpointSums, Span
from rollout.reasons import Reason
from rollout.windows import histogram

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Span(NOW - timedelta(hours=1), NOW)
PATIENCE = (Patience("replica1", 30.0, gives_feedback=False),)


def evidence(endpoint: str = "names", movable: int = 100, units: int = 1_000, **facts: Any) -> Evidence:
    """Return that of an endpoint whose reads all could move, and whose units took 10 ms, unless told otherwise."""
    on_primary = facts.pop("on_primary", {Reason.NO_RULE: movable})
    seconds = facts.pop("seconds", [0.01] * min(units, 100))
    of_units = {name: facts.pop(name) for name in ("safe_writes", "writes_after_reads", "with_token") if name in facts}
    on_replicas = facts.pop("on_replicas", 0)
    sums = EndpointSums(
        units=units,
        durations=histogram(seconds),
        reads=sum(on_primary.values()) + on_replicas,
        on_replicas=on_replicas,
        **of_units,
    )
    if "compared" in facts:
        facts["shadows"] = Shadows(facts.pop("compared"), facts.pop("divergent", 0), facts.pop("primary_ms", None))
    return Evidence(endpoint, sums, on_primary, **facts)


def advised(*found: Evidence, patience: tuple[Patience, ...] = PATIENCE) -> Advisory:
    return advise(found, HOUR, patience, 10.0, lambda endpoint: f"/rules/{endpoint}")
