"""What is counted, and how often."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from routers.arms import Membership


class Series(NamedTuple):
    """What is counted apart. The fields are those of `rollout.models.Tally`."""

    kind: str
    cluster: str
    alias: str
    endpoint: str
    model: str
    reason: str
    candidate: str = ""


class Counted(Protocol):
    """What one thread of a unit does again and again, and counts without a lock.

    series: all that each time counts under. members: the unit's places in the rollouts that it counts for. number: how
    often it was done. settled: how much of that is in the meter already.
    """

    series: Sequence[Series]
    members: Sequence[Membership]
    number: int
    settled: int
