"""Helpers that tests of comparisons share."""

from collections.abc import Iterable

from tasks.comparing.answers import Answer, Column, Digest, Row, Selector

KEY = b"known to the tests"
COLUMNS = tuple(Column(name, 25, table=20_000, number=number) for number, name in enumerate(("id", "name", "price"), 1))


def digested(
    rows: Iterable[Row],
    *,
    columns: tuple[Column, ...] = COLUMNS,
    most_rows: int = 10_000,
    most_bytes: int = 10_000_000,
    selector: Selector | None = None,
) -> Answer:
    """Return the answer that has these rows."""
    digest = Digest(KEY, most_rows=most_rows, most_bytes=most_bytes, selector=selector)
    digest.extend(rows)
    return digest.answer(columns, 0.0)
