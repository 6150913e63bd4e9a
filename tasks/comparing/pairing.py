"""What became of the rows that only one of two answers has. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.comparing.answers import Answer, Row


@dataclass(frozen=True, slots=True)
class Change:
    """A row of each side that are one and the same. Places are in the rows that are held, from 0.

    key: how many columns, from the first, say so. columns: numbers of those that differ.
    """

    place: int
    other: int
    key: int
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pairing:
    """missing, extra: places of rows that only the primary has, and only the replica. is_moved: whether what both have
    comes in another order."""

    missing: tuple[int, ...]
    extra: tuple[int, ...]
    changed: tuple[Change, ...]
    is_moved: bool


def pair(primary: Answer, replica: Answer) -> Pairing:
    """Return which rows are missing, extra or changed, of two answers whose rows are held.

    A row on each side is one that changed if both agree in their first columns, so many that no other row of either
    side agrees with them. Fewer columns are tried first. This is judged for each row by those that agree with it and
    not for all rows at once, so that the rows of some buckets, which are together, are judged as in the whole answer.
    """
    rows, others = primary.rows or (), replica.rows or ()
    missing, extra = dict.fromkeys(_unmatched(rows, others)), dict.fromkeys(_unmatched(others, rows))
    is_moved = _without(rows, missing) != _without(others, extra)
    changed: list[Change] = []
    for length in _key_lengths(primary, replica):
        places, other_places = _places(rows, length), _places(others, length)
        for place in tuple(missing):
            key = rows[place][:length]
            match places[key], other_places.get(key, []):
                case [_], [other] if other in extra:
                    changed.append(Change(place, other, length, _differing(rows[place], others[other])))
                    del missing[place], extra[other]
    return Pairing(tuple(missing), tuple(extra), tuple(changed), is_moved)


def _key_lengths(primary: Answer, replica: Answer) -> list[int]:
    columns = primary.columns
    lengths = list(range(primary.selector.columns, len(columns)))
    # One row that is computed, such as a count, is always the same row.
    is_summary = primary.count == replica.count == 1 and not any(column.table for column in columns)
    is_whole = primary.numbers is None and replica.numbers is None
    return [*lengths, 0] if is_summary and is_whole else lengths


def _unmatched(rows: Sequence[Row], others: Sequence[Row]) -> Iterable[int]:
    left = Counter(others)
    for place, row in enumerate(rows):
        if left[row]:
            left[row] -= 1
        else:
            yield place


def _without(rows: Sequence[Row], places: dict[int, None]) -> list[Row]:
    return [row for place, row in enumerate(rows) if place not in places]


def _places(rows: Sequence[Row], length: int) -> dict[Row, list[int]]:
    places: dict[Row, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row[:length], []).append(place)
    return places


def _differing(row: Row, other: Row) -> tuple[int, ...]:
    values = zip(row, other, strict=True)
    return tuple(number for number, (value, another) in enumerate(values) if value != another)
