"""What a host's tests put in the place of rules and servers, and what they look at. Empty outside of tests."""

from dataclasses import dataclass, field

from django.db import connections

from rollout.policy import Policy
from rollout.reasons import Reason


@dataclass(frozen=True, slots=True)
class Read:
    """One answer of the router. alias: where the read goes, or would go if this were no test."""

    model: str
    endpoint: str
    alias: str
    reason: Reason

    def __str__(self) -> str:
        return f"{self.model} at {self.endpoint or 'no endpoint'}: {self.alias} ({self.reason.value})"


@dataclass(slots=True)
class Overriding:
    """What is overridden in this process, its threads included, since a test may run a server in one.

    policy: decided by instead of the stored rules, or None. recorders: lists that take every answer of the router.
    """

    policy: Policy | None = None
    recorders: list[list[Read]] = field(default_factory=list)

    @property
    def is_used(self) -> bool:
        return self.policy is not None or bool(self.recorders)

    def is_confined(self, primary: str) -> bool:
        """Say whether a test decides where reads go while its rows are in a transaction that only the primary shows.

        Django's TestCase wraps each test in one. Decisions are then taken as if it were not there and all replicas were
        well, and the queries run on the primary's connection.
        """
        return self.policy is not None and blocks_of_test_case(primary) > 0

    def record(self, read: Read) -> None:
        for recorder in self.recorders:
            recorder.append(read)


def blocks_of_test_case(alias: str) -> int:
    """Return how many transaction blocks Django's TestCase holds open on this thread's connection."""
    return sum(bool(getattr(block, "_from_testcase", False)) for block in connections[alias].atomic_blocks)


overriding = Overriding()
"""What the tests of this process override."""
