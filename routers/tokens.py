"""Tokens: what an actor's next read must show, for each cluster that it wrote to or saw the primary of."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core import signing

from rollout.options import Settings
from rollout.settings import get_settings
from routers.positions import Floor

_SIGNER_SALT = "readshift.token"
_MARGIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Token:
    """What the next read must show.

    floors: primary alias to floors, one for each history. A server has one history, so that none but the primary is
        sure to show floors of two.
    pins: primary alias to the time, in seconds since the epoch, until which only the primary will do, because no
        position is known.
    is_foreign: it came from a client and is not ours, so that only the primary is sure to be right, for any cluster.
    """

    floors: Mapping[str, tuple[Floor, ...]] = field(default_factory=dict)
    pins: Mapping[str, float] = field(default_factory=dict)
    is_foreign: bool = False

    def __bool__(self) -> bool:
        """Whether anything is demanded at all, which is rare on the read path."""
        return bool(self.floors or self.pins or self.is_foreign)

    def merge(self, other: "Token") -> "Token":
        """Return the token that demands what both demand."""
        if not other or not self:
            return self or other
        return Token(
            {name: _merged((*self.floors_of(name), *other.floors_of(name))) for name in {*self.floors, *other.floors}},
            {name: max(self.pins.get(name, 0.0), other.pins.get(name, 0.0)) for name in {*self.pins, *other.pins}},
            self.is_foreign or other.is_foreign,
        )

    def followed_by(self, later: "Token") -> "Token":
        """Return the token of an actor who had this one and then wrote to the primaries, or read from them.

        What a primary shows contains all that the actor has met before, except for what a promotion has lost.
        """
        if not later or not self:
            return self or later
        kept = {
            name: tuple(
                floor for floor in floors if not any(floor.is_part_of(newer) for newer in later.floors_of(name))
            )
            for name, floors in self.floors.items()
        }
        return Token(kept, self.pins, self.is_foreign).merge(later)

    def left_at(self, now: float) -> "Token":
        """Return what has not expired yet. `now` is in seconds since the epoch."""
        if not self:
            return self
        floors = {name: tuple(floor for floor in floors if floor.until > now) for name, floors in self.floors.items()}
        return Token(
            {name: left for name, left in floors.items() if left},
            {name: until for name, until in self.pins.items() if until > now},
            self.is_foreign,
        )

    def floors_of(self, primary: str) -> tuple[Floor, ...]:
        """Return what a read from this cluster must show."""
        return self.floors.get(primary, ())


def _merged(floors: Iterable[Floor]) -> tuple[Floor, ...]:
    """Merge the floors of equal histories."""
    found: dict[tuple[int, int], Floor] = {}
    for floor in floors:
        history = (floor.system, floor.timeline)
        found[history] = found[history].merge(floor) if history in found else floor
    return tuple(found.values())


NOTHING = Token()
FOREIGN = Token(is_foreign=True)


def pinned(primaries: Iterable[str], until: float) -> Token:
    """Return a token that nothing but these primaries will do for, until then."""
    return Token(pins=dict.fromkeys(primaries, until))


def lifetime_seconds(settings: Settings) -> float:
    """Return how long a token counts.

    No replica serves that is further behind than the greatest lag, once that is found out; and a process that has lost
    the primary, so that it cannot find out, stops reading from replicas when its policy is too old.
    """
    return (
        settings.greatest_lag_seconds
        + max(settings.longest_trust_seconds, settings.policy_max_age_seconds)
        + _MARGIN_SECONDS
    )


def encode(token: Token) -> str:
    """Return the token as signed text, for cookies, caches, messages and headers.

    Whoever is given a foreign one reads from the primaries for as long as a token of ours would count.
    """
    if token.is_foreign:
        settings = get_settings()
        token = token.merge(pinned(settings.clusters, time.time() + lifetime_seconds(settings)))
    floors = {
        primary: [[floor.system, floor.timeline, floor.lsn, floor.clock, floor.until] for floor in floors]
        for primary, floors in token.floors.items()
    }
    return signing.Signer(salt=_SIGNER_SALT).sign_object({"floors": floors, "pins": dict(token.pins)})


def decode(text: object, now: float) -> Token:
    """Return what is left at this time of the token that `encode` wrote, and a foreign one for anything else."""
    if not isinstance(text, str):
        return FOREIGN
    try:
        content = signing.Signer(salt=_SIGNER_SALT).unsign_object(text)
        floors = {
            str(primary): tuple(_floor(parts) for parts in listed) for primary, listed in content["floors"].items()
        }
        pins = {str(primary): float(until) for primary, until in content["pins"].items()}
    except (signing.BadSignature, TypeError, ValueError, KeyError, AttributeError, OverflowError):
        # Not signed by us, or by another version of us.
        return FOREIGN
    return Token(floors, pins).left_at(now)


def _floor(parts: Any) -> Floor:
    system, timeline, lsn, clock, until = parts
    return Floor(int(system), int(timeline), int(lsn), int(clock), float(until))
