"""What is counted, and how often."""

from dataclasses import dataclass
from typing import NamedTuple

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


@dataclass(slots=True, eq=False)
class Count:
    """How often one thread of a unit has done the same. Only that thread adds to it, so that it takes no lock.

    members: the unit's places in the rollouts that it counts for. settled: how much of it is in the meter already.
    """

    series: Series
    members: tuple[Membership, ...] = ()
    number: int = 0
    settled: int = 0
