"""What clients asked, and how they were answered."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from threading import Lock

PRIMARY = "default"


class Kind(StrEnum):
    """READ: of a page that may come from a replica. STRICT: of one that must come from the primary."""

    READ = "read"
    STRICT = "strict"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a client.

    started, ended: monotonic seconds, taken before it was sent and after its answer came, or the client gave up.
    status: of the answer; 0 where none came. servers: the aliases that its rows came from.
    is_shed: whether the client was asked to come back later.
    """

    kind: Kind
    started: float
    ended: float
    status: int
    servers: frozenset[str] = frozenset()
    is_shed: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether it was answered; a strict read by nobody but the primary."""
        return self.status == HTTPStatus.OK and (self.kind is not Kind.STRICT or self.servers == {PRIMARY})

    @property
    def is_from_primary(self) -> bool:
        """Whether the primary had a part in the answer."""
        return PRIMARY in self.servers

    @property
    def took_ms(self) -> float:
        return (self.ended - self.started) * 1000


class History:
    """The requests of all clients of one scenario. Threads add to it at the same time.

    errors: what was wrong with those that failed, and how often.
    """

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()
        self._lock = Lock()
        self._requests: list[Request] = []

    def add(self, request: Request, error: str) -> None:
        """Record a request, and what was wrong with it; empty where an answer came."""
        with self._lock:
            self._requests.append(request)
            if not request.is_ok:
                self.errors[f"{request.kind}: {error or 'from a replica'}"] += 1

    def since(self, at: float) -> list[Request]:
        """Return the requests that started then or later."""
        with self._lock:
            return [request for request in self._requests if request.started >= at]
