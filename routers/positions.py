"""Positions in PostgreSQL's write-ahead log, and whether a server has reached one. Pure."""

from dataclasses import dataclass

PAGE_BYTES = 8192
"""XLOG_BLCKSZ of every packaged PostgreSQL."""

_PAGE_HEADER_BYTES = 24
_SEGMENT_HEADER_BYTES = 40
_LSN_PARTS = 2


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the history of one cluster.

    system: the system identifier that initdb gave it. timeline: which grows with each promotion. lsn: the byte.
    """

    system: int
    timeline: int
    lsn: int

    def is_reached_by(self, server: "Position") -> bool:
        """Say whether a server that stands there shows everything up to here.

        A position of another system or timeline is never reached: its numbers mean another history, even when they
        compare (PostgreSQL's documentation of WAIT FOR LSN says the same of timelines).
        """
        return self.is_comparable(server) and server.lsn >= self.lsn

    def is_comparable(self, other: "Position") -> bool:
        return (self.system, self.timeline) == (other.system, other.timeline)

    def __str__(self) -> str:
        return f"{format_lsn(self.lsn)} on timeline {self.timeline}"


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that a server must show: what one history of one cluster held at a position and at a time.

    system, timeline: the history, as in `Position`. lsn: the position; 0 asks for none. clock: a time by the primary's
    own clock, in microseconds since the epoch; 0 asks for none. until: when this stops to count, in seconds since the
    epoch.

    The position is that of a commit. The time is that of a read which the primary served: it may have shown all that
    was committed until then, and asking for a position after every such read would cost a query.
    """

    system: int
    timeline: int
    lsn: int = 0
    clock: int = 0
    until: float = 0.0

    def is_comparable(self, other: "Floor | Position") -> bool:
        return (self.system, self.timeline) == (other.system, other.timeline)

    def merge(self, other: "Floor") -> "Floor":
        """Return the floor that demands what both demand. They belong to the same history."""
        return Floor(
            self.system,
            self.timeline,
            max(self.lsn, other.lsn),
            max(self.clock, other.clock),
            max(self.until, other.until),
        )

    def is_part_of(self, later: "Floor") -> bool:
        """Say whether the later history has all of this one that survived: it was promoted from it."""
        return self.system == later.system and self.timeline < later.timeline


def parse_lsn(text: str) -> int:
    """Return the byte position that PostgreSQL writes as two hexadecimal numbers, such as 16/B374D848.

    Raises ValueError for anything else.
    """
    parts = text.split("/")
    if len(parts) != _LSN_PARTS:
        raise ValueError(f"{text!r} is no position in the log. PostgreSQL writes it like 16/B374D848.")
    high, low = (int(part, 16) for part in parts)
    if not (0 <= high < 1 << 32 and 0 <= low < 1 << 32):
        raise ValueError(f"{text!r} is outside the 64 bits of a position in the log.")
    return high << 32 | low


def format_lsn(lsn: int) -> str:
    """Return a byte position as PostgreSQL writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def settle_lsn(lsn: int) -> int:
    """Return the end of the last record before an insert position.

    Where that record ends with its page, PostgreSQL reports the insert position behind the header of the next page,
    which is written with the next record only. A replica that has replayed everything stands before the header and
    would never reach a position behind it while the primary is idle (`XLogBytePosToRecPtr` against
    `XLogBytePosToEndRecPtr` in xlog.c). The first page of a segment has the longer header.
    """
    offset = lsn % PAGE_BYTES
    return lsn - offset if offset in {_PAGE_HEADER_BYTES, _SEGMENT_HEADER_BYTES} else lsn
