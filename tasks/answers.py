"""What a server answered to a statement: the rows as they came, or digests of them where they are too many. Pure."""

from dataclasses import dataclass

Row = tuple[bytes | None, ...]
"""A row as PostgreSQL sends it in text form. None is NULL."""


@dataclass(frozen=True, slots=True)
class Column:
    """table: OID of the table that it comes from, 0 if it is computed. number: its number there, 0 likewise."""

    name: str
    type: int
    table: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """rows: all of them, or None where they are too many to hold.

    in_order: a digest of the rows as a list. buckets: digests of the rows as a multiset, each row counted in the bucket
    that its own digest chooses. took_ms: from sending the statement to the last row.
    """

    columns: tuple[Column, ...]
    count: int
    rows: tuple[Row, ...] | None
    in_order: bytes
    buckets: tuple[int, ...]
    took_ms: float
