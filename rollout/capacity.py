"""Whether the replicas of a pool could carry a larger share if one of them went: the N-1 check. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

_STATE_IT = 'State it as "CAPACITY", in reads per second, beside WEIGHT in READSHIFT["CLUSTERS"].'


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the check found. refusal: why the share must not grow, or empty. note: what a plan that goes on tells."""

    refusal: str = ""
    note: str = ""


def check(loads: Mapping[str, float], capacities: Mapping[str, float | None], factor: float) -> Capacity:
    """Return whether the pool could lose its busiest replica after a step.

    loads: reads per second that each replica serves now. capacities: what each replica of the pool can carry, in reads
    per second, or None where nobody has stated it. factor: how many times the present share the next one is, and 1 to
    ask about the present one; all of the load is taken to grow with it, which is too much rather than too little if
    other rules use the pool.

    What the lost replica served goes to the others in the proportion in which they serve now, so that a small one with
    a large weight is found out. If they serve nothing now, it goes to them by what they can carry.
    """
    if all(capacity is None for capacity in capacities.values()):
        return Capacity(note=f"No replica has a stated capacity, so none was checked. {_STATE_IT}")
    lost = max(sorted(capacities), key=lambda alias: loads.get(alias, 0.0))
    total = factor * sum(loads.get(alias, 0.0) for alias in capacities)
    rest = {alias: capacity for alias, capacity in sorted(capacities.items()) if alias != lost}
    unknown = [alias for alias, capacity in rest.items() if capacity is None]
    if unknown:
        return Capacity(f"Nobody knows whether {_list(unknown)} can do without {lost}: no capacity stated. {_STATE_IT}")
    known = {alias: capacity for alias, capacity in rest.items() if capacity is not None}
    return _without(lost, total, known, loads, is_step=factor != 1)


def _without(
    lost: str, total: float, rest: Mapping[str, float], loads: Mapping[str, float], *, is_step: bool
) -> Capacity:
    if not rest:
        if not total:
            return Capacity(note=f"{lost} is the only replica of its pool, and it serves nothing yet.")
        return Capacity(
            f"{lost} is the only replica of its pool: if it goes, {total:,.0f} reads a second fall to the primary. "
            f"Add a replica, or state no CAPACITY to go on without this check."
        )
    served = sum(loads.get(alias, 0.0) for alias in rest)
    room = sum(rest.values())
    shares = {alias: loads.get(alias, 0.0) / served if served else capacity / room for alias, capacity in rest.items()}
    missing = {alias: total * shares[alias] - capacity for alias, capacity in rest.items()}
    worst = max(missing, key=lambda alias: missing[alias])
    if missing[worst] > 0:
        after, otherwise = (" after the step", " or take a smaller step") if is_step else ("", "")
        return Capacity(
            f"If {lost} goes, {worst} would serve {total * shares[worst]:,.0f} reads a second{after}, and it can carry "
            f"{rest[worst]:,.0f}: {missing[worst]:,.0f} are missing. Add a replica{otherwise}."
        )
    return Capacity(
        note=f"Without {lost}, {_list(list(rest))} would serve {total:,.0f} of the {room:,.0f} reads a second that can "
        f"be carried."
    )


def _list(aliases: list[str]) -> str:
    return " and ".join(aliases)
