"""What the rungs of the ladder are put into words from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rollout.gates import Subject
from rollout.options import Settings
from rollout.policy import Policy, Rule
from routers.health import Standing
from routers.ladder import Situation
from routers.positions import Floor, Position
from routers.tokens import Token


@dataclass(frozen=True, slots=True)
class Sight:
    """What the words are made of, besides what the ladder goes by.

    method: the HTTP method. denied_by: the entry of the deny list that the model is on, or empty. standings: how
    replicas stand, by alias; None where none is asked. now: on the clock of the standings. position_of: returns a
    position that shows what a floor asks for, or None while none is known.
    """

    settings: Settings
    subject: Subject
    method: str
    denied_by: str
    token: Token
    standings: Mapping[str, Standing] | None
    now: float
    position_of: Callable[[Floor], Position | None]


@dataclass(frozen=True, slots=True)
class Case:
    """One read whose rungs are put into words."""

    policy: Policy | None
    situation: Situation
    sight: Sight

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.policy.rules_for(self.situation.endpoint, self.situation.model) if self.policy is not None else ()

    @property
    def is_in_use_replica(self) -> bool:
        return self.situation.block is not None and self.situation.block.pool is not None
