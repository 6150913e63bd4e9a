"""Freshness contracts: how old an answer may be, and which contract counts when several apply. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

BOUNDED_PREFIX = "bounded:"

LONGEST = 20
"""Characters of a contract's text."""

OLDEST_SECONDS = 99_999_999
"""The greatest age that a contract can name: up to it, ages in milliseconds fit into the text."""

_DECIMALS = 3


class Freshness(StrEnum):
    """What a read may show.

    STRICT: what the primary shows. SESSION: nothing older than what the actor has written or seen before. BOUNDED: the
    same, and nothing older than so many seconds. ANY: whatever a replica shows, however far behind it is.
    """

    STRICT = "strict"
    BOUNDED = "bounded"
    SESSION = "session"
    ANY = "any"


_FROM_STRICTEST = tuple(Freshness)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a read may show. `seconds` is the greatest age under BOUNDED, and without meaning otherwise."""

    freshness: Freshness
    seconds: float = math.inf

    @property
    def follows_actor(self) -> bool:
        """Whether the answer must show what the actor has written and seen."""
        return self.freshness in {Freshness.SESSION, Freshness.BOUNDED}

    def is_looser_than(self, other: "Contract") -> bool:
        """Say whether some answer is allowed here that is not allowed there."""
        return _looseness(self) > _looseness(other)

    def __str__(self) -> str:
        """Return the text that `parse_contract` reads."""
        if self.freshness is Freshness.BOUNDED:
            return f"{BOUNDED_PREFIX}{self.seconds:.12g}"
        return self.freshness.value


STRICT = Contract(Freshness.STRICT)
SESSION = Contract(Freshness.SESSION)
ANY = Contract(Freshness.ANY)


def parse_contract(text: str) -> Contract:
    """Read a contract: `strict`, `session`, `any`, or `bounded:` and a number of seconds above 0, kept to milliseconds.

    The text of what it returns has at most LONGEST characters and reads as the same contract. Raises ValueError, in
    words for a person, for anything else.
    """
    name = text.strip().lower()
    if name.startswith(BOUNDED_PREFIX):
        try:
            seconds = round(float(name.removeprefix(BOUNDED_PREFIX)), _DECIMALS)
        except ValueError:
            seconds = math.nan
        if 0 < seconds <= OLDEST_SECONDS:
            return Contract(Freshness.BOUNDED, seconds)
    elif name in {Freshness.STRICT, Freshness.SESSION, Freshness.ANY}:
        return Contract(Freshness(name))
    raise ValueError(
        f"“{text}” is no freshness contract. Write strict, session, any, or bounded: and seconds, such as bounded:5."
    )


def strictest(contracts: Iterable[Contract]) -> Contract:
    """Return the contract that allows the least; SESSION when there is none."""
    return min(contracts, key=_looseness, default=SESSION)


def _looseness(contract: Contract) -> tuple[int, float]:
    seconds = contract.seconds if contract.freshness is Freshness.BOUNDED else math.inf
    return _FROM_STRICTEST.index(contract.freshness), seconds
