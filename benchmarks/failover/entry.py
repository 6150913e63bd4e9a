"""How `python -m benchmarks` runs this one, and what it is held to."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form
from benchmarks.failover.scenarios import Scenario, scenarios
from benchmarks.systems import OWN


def bounds(results: Mapping[str, Any]) -> list[Bound]:
    """Return the bounds of a result: system, then scenario, then figure. Without Readshift's figures there are none."""
    known = scenarios()
    return [bound for name in results.get(OWN, {}) for bound in of_scenario(known[name], results)]


def of_scenario(scenario: Scenario, results: Mapping[str, Any]) -> Iterator[Bound]:
    """Yield the bounds of one scenario."""

    def bound(figure: str, *, least: float | None = None, most: float | None = None) -> Bound:
        values = {system: result[scenario.name][figure] for system, result in results.items()}
        return Bound(f"{OWN}.{scenario.name}.{figure}", values.pop(OWN), least, most, values)

    yield bound("reads", least=1)
    yield bound("failed", most=0)
    # An answer that asks to come back later is one only where that was asked for.
    if scenario.primary_ratio is None:
        yield bound("shed", most=0)
    else:
        yield bound("primary_peak_ratio", most=scenario.primary_ratio)
    if scenario.eject_seconds is not None:
        yield bound("seconds_to_eject", most=scenario.eject_seconds)
    if scenario.longest_ms is not None:
        yield bound("max_ms", most=scenario.longest_ms)


ENTRY = Entry(
    short=Form(
        "--scenario hang --seconds 4",
        420,
        "The short form has one of ten scenarios, with a fault of 4 seconds instead of 12.",
    ),
    full=Form("", 3600),
    bounds=bounds,
)
