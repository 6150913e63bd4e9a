"""What one snapshot of a server showed, and how it is taken from what libpq got. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg.pq.abc import PGresult

from tasks.comparing.answers import Answer, Column, Row


@dataclass(frozen=True, slots=True)
class Reading:
    """What one snapshot of a server showed.

    position: bytes of the log. A primary's snapshot shows nothing beyond it, a replica's shows all up to it. at: the
    monotonic time by which the server stood there.
    """

    position: int
    at: float
    answer: Answer


def columns_of(result: PGresult) -> tuple[Column, ...]:
    """Return the columns of what libpq got."""
    return tuple(
        Column(
            (result.fname(number) or b"").decode(errors="replace"),
            result.ftype(number),
            result.ftable(number),
            result.ftablecol(number),
        )
        for number in range(result.nfields)
    )


def rows_of(result: PGresult) -> Iterator[Row]:
    """Yield the rows of what libpq got."""
    value, columns = result.get_value, range(result.nfields)
    for number in range(result.ntuples):
        yield tuple([value(number, column) for column in columns])
