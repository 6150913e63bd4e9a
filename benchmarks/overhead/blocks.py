"""What a process is asked to measure, and what it answers."""

from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """DECISION: the router's answer within one request, after the first. FIRST: a request with one such answer.

    READ: an article by its key within one request, after the first. VISIT: a request with one such read. REQUEST: one
    that asks for nothing.
    """

    DECISION = "decision"
    FIRST = "first"
    READ = "read"
    VISIT = "visit"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Block:
    """What is repeated, and whether under ASGI."""

    what: What
    is_async: bool = False

    @property
    def is_within_a_request(self) -> bool:
        """Whether all repetitions are those of one request; otherwise each is one."""
        return self.what in {What.DECISION, What.READ}

    @property
    def reads(self) -> bool:
        """Whether the servers are asked."""
        return self.what in {What.READ, What.VISIT}


@dataclass(frozen=True, slots=True)
class Answer:
    """How many nanoseconds one repetition took, and the databases that answered: none for an empty request.

    cpu: how many of them the thread needed a processor for; 0 where that is not measured.
    """

    nanoseconds: float
    aliases: frozenset[str]
    cpu: float = 0.0
