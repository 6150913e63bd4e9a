"""A stored comparison as two sides: what the primary has, what the replica has, by cause. Pure.

What was stored is that of `tasks.comparing.differences`, maybe of another release: nothing is taken for granted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from psycopg import adapters

from rollout.outcomes import ShadowCause
from tasks.reporting.findings import cause_words
from tasks.reporting.retention import VALUE_KEY
from tasks.reporting.words import grouped


class Sight(Enum):
    """What may be seen of values that the host has allowed reports to show."""

    SHOWN = "shown"
    WITHHELD = "withheld"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row. kind: `value`, `hash` or `word`, which says why neither is there."""

    column: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """What stands side by side. about: which row, or what of it. A side without cells has nothing there."""

    about: str
    key: tuple[Cell, ...] = ()
    primary: tuple[Cell, ...] = ()
    replica: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Differences of one cause. count: how many there are, of which `lines` may show the first alone."""

    cause: str
    count: int | None
    lines: tuple[Line, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """groups: those that lines tell of. facts: names and values that belong to no side."""

    groups: tuple[Group, ...]
    facts: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        return not self.groups and not self.facts


def read_difference(details: Mapping[str, Any], sight: Sight) -> Difference:
    """Return what a stored comparison says, but values only as far as they may be seen."""
    return Difference(tuple(_groups(details, sight)), tuple(_facts(details)))


def type_name(oid: object) -> str:
    """Return the name of one of PostgreSQL's own types, and the number of any other."""
    info = adapters.types.get(oid) if isinstance(oid, int) else None
    return f"type {oid}" if info is None else info.name


def _groups(details: Mapping[str, Any], sight: Sight) -> Iterator[Group]:
    examples = _mapping(details.get("examples"))
    for key, cause, tell in (
        ("changed", ShadowCause.CHANGED_COLUMN, _changed),
        ("missing", ShadowCause.MISSING_ROW, _missing),
        ("extra", ShadowCause.EXTRA_ROW, _extra),
    ):
        lines = tuple(tell(example, sight) for example in _mappings(examples.get(key)))
        if count := _count(details.get(key)) or len(lines):
            yield Group(_words(cause), count, lines, _rest(count, len(lines)))
    if columns := [one for one in _mappings(details.get("columns")) if "number" in one]:
        yield Group(_words(ShadowCause.TYPE), len(columns), tuple(map(_column, columns)))
    if order := _mapping(details.get("order")):
        first, end = _count(order.get("first")) or 0, _count(order.get("end")) or 0
        note = f"The rows differ in order from row {grouped(first + 1)} to row {grouped(end)}."
        yield Group(_words(ShadowCause.ORDER), None, (), note)
    elif details.get("is_order_changed") is True:
        yield Group(_words(ShadowCause.ORDER), None, (), "What both have comes in another order as well.")
    if told := _mappings(details.get("surroundings")):
        lines = tuple(_surrounding(one) for one in told)
        note = "Settings and collations that differ between the servers, whether or not they are the cause."
        yield Group("The servers are set up differently", len(lines), lines, note)


def _facts(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if details.get("is_sample") is True:
        yield "compared in detail", "a sample of the rows that differ: there are too many to look at all"
    if (buckets := _count(details.get("buckets"))) is not None:
        yield "compared in detail", f"not by row: digests of {grouped(buckets)} groups of rows differ"
    changed = [
        f"{one['column']} in {_number(one.get('rows'))} rows"
        for one in _mappings(details.get("columns"))
        if "column" in one
    ]
    if changed:
        yield "columns that differ", ", ".join(changed)
    functions = details.get("functions")
    if isinstance(functions, list):
        yield "functions that need not answer the same twice", ", ".join(map(str, functions))
    for key, name in (("error", "what the server said"), ("state", "the replica was")):
        if details.get(key):
            yield name, str(details[key]).replace("_", " ") if key == "state" else str(details[key])


def _changed(example: Mapping[str, Any], sight: Sight) -> Line:
    here, there = _count(example.get("row")), _count(example.get("row_of_replica"))
    moved = "" if there in {None, here} else f", row {grouped(there + 1)} on the replica"
    return Line(
        f"{_row(here)}{moved}",
        _cells(example.get("key"), sight),
        _cells(example.get("primary"), sight),
        _cells(example.get("replica"), sight),
    )


def _missing(example: Mapping[str, Any], sight: Sight) -> Line:
    return Line(_row(_count(example.get("row"))), primary=_cells(example.get("cells"), sight))


def _extra(example: Mapping[str, Any], sight: Sight) -> Line:
    return Line(_row(_count(example.get("row"))), replica=_cells(example.get("cells"), sight))


def _column(one: Mapping[str, Any]) -> Line:
    number = _count(one.get("number")) or 0
    primary, replica = (_typed(_mapping(one.get(side))) for side in ("primary", "replica"))
    return Line(f"column {number + 1}", primary=primary, replica=replica)


def _typed(column: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (Cell(str(column.get("name", "")), type_name(column.get("type")), "value"),) if column else ()


def _surrounding(one: Mapping[str, Any]) -> Line:
    primary, replica = ((Cell("", str(one.get(side, "")), "value"),) for side in ("primary", "replica"))
    return Line(str(one.get("name", "")), primary=primary, replica=replica)


def _cells(told: object, sight: Sight) -> tuple[Cell, ...]:
    return tuple(_cell(one, sight) for one in _mappings(told))


def _cell(one: Mapping[str, Any], sight: Sight) -> Cell:
    column = str(one.get("column", ""))
    if "hash" in one:
        return Cell(column, str(one["hash"]), "hash")
    if VALUE_KEY not in one or sight is Sight.EXPIRED:
        return Cell(column, "not kept any more", "word")
    if one[VALUE_KEY] is None:
        return Cell(column, "NULL", "word")
    return Cell(column, str(one[VALUE_KEY]), "value") if sight is Sight.SHOWN else Cell(column, "withheld", "word")


def _row(number: int | None) -> str:
    return "a row" if number is None else f"row {grouped(number + 1)}"


def _rest(count: int, shown: int) -> str:
    if not shown:
        return "No example was kept."
    return f"Shown: the first {shown}." if shown < count else ""


def _words(cause: ShadowCause) -> str:
    words = cause_words(cause)
    return words[:1].upper() + words[1:]


def _number(value: object) -> str:
    count = _count(value)
    return "?" if count is None else grouped(count)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
