"""What a server answered to a statement: the rows as they came, or digests of them where they are too many. Pure."""

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

Row = tuple[bytes | None, ...]
"""A row as PostgreSQL sends it in text form. None is NULL."""

FIRST_OWN_TYPE = 16_384
"""Type OIDs from here on are given out by each database for itself (FirstNormalObjectId in transam.h)."""

BUCKETS = 4096
_DIGEST_BYTES = 16
_ONE_ROW = 1 << 192
"""What a row adds to its bucket besides its digest. Sums of digests stay below it for 2**64 rows."""

_STRETCH_ROWS = 64
_MOST_CHUNKS = 1024


@dataclass(frozen=True, slots=True)
class Column:
    """table: OID of the table that it comes from, 0 if it is computed. number: its number there, 0 likewise."""

    name: str
    type: int
    table: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Selector:
    """Which rows of an answer are looked at, when it is too large to look at all.

    columns: how many columns, from the first, choose the bucket of a row. Rows that agree in them are in one bucket.
    buckets: those whose rows count; None is all of them. is_sample: other buckets would be worth a look as well.
    """

    columns: int = 1
    buckets: frozenset[int] | None = None
    is_sample: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows that a selector lets through, which is all of them by default.

    rows: all of them, or None where they are too many to hold. numbers: which rows of the whole answer they are, from
    0; None where they are all. in_order: a digest of the rows as a list. buckets: digests of the rows as a multiset, in
    buckets as the selector says; `rows_in` tells how many each stands for. chunks: digests of successive rows, so many
    (`chunk_rows`) in each but the last. took_ms: from sending the statement to the last row.
    """

    columns: tuple[Column, ...]
    count: int
    rows: tuple[Row, ...] | None
    in_order: bytes
    buckets: tuple[int, ...]
    took_ms: float
    numbers: tuple[int, ...] | None = None
    chunks: tuple[int, ...] = ()
    chunk_rows: int = _STRETCH_ROWS
    selector: Selector = field(default_factory=Selector)


def rows_in(bucket: int) -> int:
    """Return how many rows a bucket's digest stands for."""
    return bucket // _ONE_ROW


class Digest:
    """Takes the rows of one answer, one after the other, in bounded memory.

    The digest of a multiset is the sum of keyed digests of its rows, so that no order matters and each row counts as
    often as it is there: the additive hash of Clarke, Devadas, van Dijk, Gassend and Suh, "Incremental Multiset Hash
    Functions and Their Application to Memory Integrity Checking" (ASIACRYPT 2003), with BLAKE2b of 128 bits. The sums
    are kept whole, where the paper takes them modulo 2**128. The digest of a list is that of the multiset of its
    stretches, each hashed with its number, so that digests of stretches next to each other can be added up.

    key: the same for answers that are compared, and unknown to whoever writes the rows. most_rows, most_bytes: beyond
    either, rows are no longer held.
    """

    def __init__(self, key: bytes, *, most_rows: int, most_bytes: int, selector: Selector | None = None) -> None:
        self._empty = hashlib.blake2b(key=key, digest_size=_DIGEST_BYTES)
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._selector = selector or Selector()
        self._seen = self._count = self._bytes = 0
        self._rows: list[Row] | None = []
        self._numbers: list[int] = []
        self._buckets = [0] * BUCKETS
        self._stretch = self._empty.copy()
        self._stretches = 0
        self._chunks: list[int] = []
        self._span = 1

    def extend(self, rows: Iterable[Row]) -> None:
        """Take some more rows."""
        columns, chosen = self._selector.columns, self._selector.buckets
        for row in rows:
            number = self._seen
            self._seen += 1
            # Each part says where it ends, so that no two rows look alike; NULL is no empty string.
            parts = [b"-" if value is None else b"%d:%b" % (len(value), value) for value in row]
            bucket = zlib.crc32(b"".join(parts[:columns])) % BUCKETS
            if chosen is not None and bucket not in chosen:
                continue
            encoded = b"".join(parts)
            hashed = self._empty.copy()
            hashed.update(encoded)
            digest = hashed.digest()
            self._buckets[bucket] += int.from_bytes(digest, "big") + _ONE_ROW
            self._stretch.update(digest)
            self._count += 1
            if not self._count % _STRETCH_ROWS:
                self._end_stretch()
            if self._rows is not None:
                self._bytes += len(encoded)
                if self._count <= self._most_rows and self._bytes <= self._most_bytes:
                    self._rows.append(row)
                    self._numbers.append(number)
                else:
                    self._rows, self._numbers = None, []

    def answer(self, columns: tuple[Column, ...], took_ms: float) -> Answer:
        """Return what all rows together are. Takes no rows afterwards."""
        if self._count % _STRETCH_ROWS:
            self._end_stretch()
        return Answer(
            columns=columns,
            count=self._count,
            rows=None if self._rows is None else tuple(self._rows),
            in_order=sum(self._chunks).to_bytes(2 * _DIGEST_BYTES, "big"),
            buckets=tuple(self._buckets),
            took_ms=took_ms,
            numbers=None if self._selector.buckets is None else tuple(self._numbers),
            chunks=tuple(self._chunks),
            chunk_rows=self._span * _STRETCH_ROWS,
            selector=self._selector,
        )

    def _end_stretch(self) -> None:
        hashed = self._empty.copy()
        hashed.update(b"%d:%b" % (self._stretches, self._stretch.digest()))
        chunk = self._stretches // self._span
        if chunk == _MOST_CHUNKS:
            self._chunks = fold(self._chunks)
            self._span *= 2
            chunk //= 2
        if chunk == len(self._chunks):
            self._chunks.append(0)
        self._chunks[chunk] += int.from_bytes(hashed.digest(), "big")
        self._stretches += 1
        self._stretch = self._empty.copy()


def fold(chunks: Iterable[int]) -> list[int]:
    """Return the digests of chunks that are twice as long."""
    chunks = list(chunks)
    return [sum(chunks[first : first + 2]) for first in range(0, len(chunks), 2)]


def first_difference(one: Answer, other: Answer) -> tuple[int, int] | None:
    """Return the first rows, as the number of the first and of the one after the last, where two lists differ."""
    chunks, others = list(one.chunks), list(other.chunks)
    length, other_length = one.chunk_rows, other.chunk_rows
    while length < other_length:
        chunks, length = fold(chunks), length * 2
    while other_length < length:
        others, other_length = fold(others), other_length * 2
    most = max(len(chunks), len(others))
    chunks += [0] * (most - len(chunks))
    others += [0] * (most - len(others))
    for number, (chunk, another) in enumerate(zip(chunks, others, strict=True)):
        if chunk != another:
            return number * length, min((number + 1) * length, max(one.count, other.count))
    return None
