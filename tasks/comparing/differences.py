"""How the answers of a primary and of a replica differ, told without their values. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollout.outcomes import ShadowCause
from tasks.comparing.answers import FIRST_OWN_TYPE, Answer, Column, Row, first_difference
from tasks.comparing.pairing import Change, pair

MOST_EXAMPLES = 10

_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """cause: the most telling one. details: how often each applies, where, and examples, ready for JSON."""

    cause: ShadowCause
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What may be said of values.

    hash_value: what stands for a value that may not be shown. shown: numbers of the columns, from 0, whose values may.
    """

    hash_value: Callable[[bytes], str]
    shown: Collection[int] = field(default_factory=frozenset)

    def tell(self, column: int, value: bytes | None) -> dict[str, str | None]:
        """Return what a report may say of one value. NULL is no secret."""
        if value is None:
            return {"value": None}
        if column in self.shown:
            return {"value": value.decode(errors="replace")[:_LONGEST_SHOWN]}
        return {"hash": self.hash_value(value)}


def compare(
    primary: Answer, replica: Answer, privacy: Privacy, *, is_ordered: bool, are_types_shared: bool = True
) -> Difference | None:
    """Return how the answers differ, or None if they do not: as lists if the statement orders them, else as multisets.

    are_types_shared: whether the OIDs of types that are no part of PostgreSQL mean the same on both servers, which they
    do not when one subscribes to the other. Of rows that are too many to hold, only numbers are told: `narrow` says
    what to read again to learn the rest. `pair` says which rows count as changed.

    The cause is the one with the most rows. Of a page of rows that lacks one, the next moves up, which is extra then:
    so in a tie, missing goes before extra.
    """
    if differing := _columns(primary.columns, replica.columns, are_types_shared):
        return Difference(ShadowCause.TYPE, {"columns": differing})
    if primary.buckets == replica.buckets:
        if not is_ordered or primary.in_order == replica.in_order:
            return None
        return Difference(ShadowCause.ORDER, _sizes(primary, replica) | {"order": _order(primary, replica)})
    if primary.rows is None or replica.rows is None:
        return _by_size(primary, replica)
    return _by_rows(primary, replica, privacy, is_ordered)


def _columns(primary: Sequence[Column], replica: Sequence[Column], are_types_shared: bool) -> list[dict[str, Any]]:
    most = max(len(primary), len(replica))
    sides = zip([*primary, *[None] * (most - len(primary))], [*replica, *[None] * (most - len(replica))], strict=True)
    return [
        {"number": number, "primary": _describe(one), "replica": _describe(other)}
        for number, (one, other) in enumerate(sides)
        if not _is_alike(one, other, are_types_shared)
    ]


def _is_alike(one: Column | None, other: Column | None, are_types_shared: bool) -> bool:
    if one is None or other is None or one.name != other.name:
        return False
    is_own = min(one.type, other.type) >= FIRST_OWN_TYPE
    return one.type == other.type or (is_own and not are_types_shared)


def _describe(column: Column | None) -> dict[str, Any] | None:
    return None if column is None else {"name": column.name, "type": column.type}


def _sizes(primary: Answer, replica: Answer) -> dict[str, Any]:
    """Return how much was compared. It was a sample if more buckets differ than could be held."""
    is_sample = primary.selector.is_sample or replica.selector.is_sample
    return {"rows": {"primary": primary.count, "replica": replica.count}, "is_sample": is_sample}


def _order(primary: Answer, replica: Answer) -> dict[str, int]:
    first, end = first_difference(primary, replica) or (0, primary.count)
    if primary.rows is not None and replica.rows is not None:
        places = [place for place in range(first, primary.count) if primary.rows[place] != replica.rows[place]]
        first, end = places[0], places[-1] + 1
    return {"first": first, "end": end}


def _by_size(primary: Answer, replica: Answer) -> Difference:
    pairs = list(zip(primary.buckets, replica.buckets, strict=True))
    details = _sizes(primary, replica) | {"buckets": sum(one != other for one, other in pairs)}
    if primary.count == replica.count:
        return Difference(ShadowCause.CHANGED_COLUMN, details)
    return Difference(ShadowCause.MISSING_ROW if primary.count > replica.count else ShadowCause.EXTRA_ROW, details)


def _by_rows(primary: Answer, replica: Answer, privacy: Privacy, is_ordered: bool) -> Difference:
    found = pair(primary, replica)
    columns = Counter(primary.columns[number].name for change in found.changed for number in change.columns)
    counts = {
        ShadowCause.CHANGED_COLUMN: len(found.changed),
        ShadowCause.MISSING_ROW: len(found.missing),
        ShadowCause.EXTRA_ROW: len(found.extra),
    }
    details = _sizes(primary, replica) | {
        "changed": len(found.changed),
        "missing": len(found.missing),
        "extra": len(found.extra),
        "is_order_changed": is_ordered and found.is_moved,
        "columns": [{"column": name, "rows": rows} for name, rows in columns.most_common()],
        "examples": {
            "changed": [_tell_change(primary, replica, privacy, change) for change in found.changed[:MOST_EXAMPLES]],
            "missing": [_tell_row(primary, privacy, place) for place in found.missing[:MOST_EXAMPLES]],
            "extra": [_tell_row(replica, privacy, place) for place in found.extra[:MOST_EXAMPLES]],
        },
    }
    return Difference(max(counts, key=lambda cause: counts[cause]), details)


def _tell_row(answer: Answer, privacy: Privacy, place: int) -> dict[str, Any]:
    number, row = _row(answer, place)
    return {"row": number, "cells": _tell(answer, privacy, row, range(len(row)))}


def _tell_change(primary: Answer, replica: Answer, privacy: Privacy, change: Change) -> dict[str, Any]:
    (number, row), (other_number, other) = _row(primary, change.place), _row(replica, change.other)
    return {
        "row": number,
        "row_of_replica": other_number,
        "key": _tell(primary, privacy, row, range(change.key)),
        "primary": _tell(primary, privacy, row, change.columns),
        "replica": _tell(primary, privacy, other, change.columns),
    }


def _tell(answer: Answer, privacy: Privacy, row: Row, columns: Iterable[int]) -> list[dict[str, Any]]:
    return [{"column": answer.columns[number].name, **privacy.tell(number, row[number])} for number in columns]


def _row(answer: Answer, place: int) -> tuple[int, Row]:
    """Return a row with its number in the whole answer, from 0."""
    rows = answer.rows or ()
    return place if answer.numbers is None else answer.numbers[place], rows[place]
