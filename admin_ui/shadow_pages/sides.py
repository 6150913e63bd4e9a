"""What both servers said of one shadow read besides their rows: how long it took, and where they were. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from admin_ui.drawing.figures import size
from admin_ui.shadow_pages.words import took
from rollout.models import ShadowRead
from routers.positions import format_lsn


@dataclass(frozen=True, slots=True)
class Side:
    """One thing that each server said, in words, which are empty where it said nothing."""

    name: str
    primary: str
    replica: str


def sides_of(read: ShadowRead) -> Iterator[Side]:
    """Yield what each server said, leaving out what neither did."""
    positions = read.details.get("positions")
    primary, replica = (_position(positions, side) for side in ("primary", "replica"))
    lines = [
        ("Server", read.cluster, read.replica),
        ("Took", took(read.primary_ms), took(read.replica_ms)),
        ("Rows", "" if read.rows is None else str(read.rows), _rows_of_replica(read.details)),
        ("Position when last read", _lsn(primary), _lsn(replica)),
    ]
    yield from (Side(*line) for line in lines if any(line[1:]))
    if primary is not None and replica is not None:
        yield Side("Distance", "", _distance(replica - primary))
    if read.position is not None:
        is_primary = read.alias == read.cluster
        shown = format_lsn(read.position)
        yield Side("Position when captured", shown if is_primary else "", "" if is_primary else shown)


def _position(positions: Any, side: str) -> int | None:
    found = positions.get(side) if isinstance(positions, Mapping) else None
    return found if isinstance(found, int) else None


def _lsn(position: int | None) -> str:
    return "" if position is None else format_lsn(position)


def _rows_of_replica(details: Mapping[str, Any]) -> str:
    rows = details.get("rows")
    found = rows.get("replica") if isinstance(rows, Mapping) else None
    return "" if found is None else str(found)


def _distance(ahead: int) -> str:
    if not ahead:
        return "where the primary was"
    return f"{size(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} what the primary showed"
