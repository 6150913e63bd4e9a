"""What clients asked and what they were answered, as the checker reads it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock


class Kind(StrEnum):
    READ = "read"
    WRITE = "write"


class Outcome(StrEnum):
    """How an operation ended for its client.

    OK: the answer came and is in the operation.
    FAILED: it certainly had no effect; every read without an answer counts as such.
    UNKNOWN: a write without an answer, which may have happened, may yet happen, or never will.
    """

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """One value written or read on behalf of one actor.

    version: what a write made or a read saw; 0 where it saw nothing. Versions of a key only ever grow by one on the
        primary, which so puts all writes of a key into one order. Meaningless unless the outcome is OK.
    started, ended: monotonic seconds, taken by the client before it sent and after it received.
    answer: the same number for all values that came in one answer, and for no others of the same actor.
    step: the number of the query, within its answer, that the value came from. The values of one query are one
        snapshot; those of a later query were read later.
    follows: for a read, the key and the version that the value itself says its writer had read before.
    server: the database alias that answered, if it is known.
    path: how the operation went: "web", or "task" for one that a background worker carried out.
    """

    actor: str
    kind: Kind
    key: str
    version: int
    started: float
    ended: float
    answer: int
    outcome: Outcome = Outcome.OK
    step: int = 0
    follows: tuple[str, int] | None = None
    server: str = ""
    path: str = "web"

    def __str__(self) -> str:
        source = f" from {self.server}" if self.server else ""
        return f"{self.actor} {self.kind} {self.key} at {self.version}{source} ({self.path}, {self.started:.3f} s)"

    @property
    def is_ok(self) -> bool:
        return self.outcome is Outcome.OK

    def precedes(self, other: "Operation") -> bool:
        """Whether this one had ended before the other began. Neither precedes the other when they overlap."""
        return self.ended < other.started


@dataclass(frozen=True, slots=True)
class Handover:
    """A moment at which the database is known to have held these versions and none above.

    A promotion is one, read from the new primary before it takes writes; the end of a run is another. What was seen or
    acknowledged before it, above these versions, is lost.
    """

    at: float
    versions: dict[str, int]


class History:
    """The operations of all clients of one run. Threads add to it at the same time; nothing is ever removed.

    answers: how many answers were recorded, errors included.
    errors: what was wrong with those that were none, and how often.
    """

    def __init__(self) -> None:
        self.answers = 0
        self.errors: Counter[str] = Counter()
        self._lock = Lock()
        self._operations: list[Operation] = []

    def add(self, operations: Iterable[Operation], error: str | None = None) -> None:
        """Record the values of one answer, or what was wrong with it."""
        added = tuple(operations)
        with self._lock:
            self._operations.extend(added)
            self.answers += 1
            if error is not None:
                self.errors[error] += 1

    def operations(self) -> tuple[Operation, ...]:
        """Return what was recorded so far."""
        with self._lock:
            return tuple(self._operations)
