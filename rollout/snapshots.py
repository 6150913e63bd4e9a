"""Which transactions a snapshot of PostgreSQL sees, so that each row is taken by one look. Pure."""

from dataclasses import dataclass
from typing import Self

_NUMBERS = 2**32
"""So many different numbers of transactions a row can hold. Snapshots count on."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `pg_current_snapshot()` gives.

    Transactions below `oldest` had ended, those from `next` on had not begun, and those of `running` were under way.
    """

    oldest: int
    next: int
    running: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read PostgreSQL's notation, such as 10:14:11,12. Raises ValueError for anything else."""
        oldest, following, running = text.split(":")
        return cls(int(oldest), int(following), frozenset(map(int, filter(None, running.split(",")))))

    def __str__(self) -> str:
        return f"{self.oldest}:{self.next}:{','.join(map(str, sorted(self.running)))}"

    def sees(self, transaction: int) -> bool:
        """Say whether a transaction that was committed had been so by then. Nested ones are not known here."""
        return transaction < self.oldest or (transaction < self.next and transaction not in self.running)

    def whole(self, xmin: int) -> int:
        """Return the whole number of the transaction of which a row, as of about now, holds the lower 32 bits."""
        distance = (self.next - xmin + _NUMBERS // 2) % _NUMBERS - _NUMBERS // 2
        return self.next - distance


NOTHING_SEEN = Snapshot(0, 0)
