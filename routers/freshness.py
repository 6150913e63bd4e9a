"""Whether a replica may serve a read under its contract: what is known about it, and if need be one question."""

import asyncio
import logging
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field

from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, InterfaceError, connections

from rollout.contracts import Contract, Freshness
from rollout.options import Cluster
from rollout.reasons import Reason
from rollout.settings import Refresh, refresh
from routers.connecting import is_connected
from routers.health import Finding
from routers.in_flight import in_flight
from routers.positions import Floor, Position
from routers.prober import prober
from routers.replicas import replicas
from routers.unit import Unit
from routers.whereabouts import ask, settle_writes

logger = logging.getLogger("readshift")

_PAUSE_SECONDS = 0.002
_PATIENCE_SECONDS = 0.25
"""How long a read waits for the prober to hear from the primary before it goes there itself."""


@dataclass(slots=True)
class Check:
    """Checks the replicas of one cluster for one read of a unit.

    asks: whether a replica may be asked where it stands, on the connection that will run the read. An observed read
    leaves no trace on a replica. wait_seconds: how long a replica that is behind may take to catch up.
    """

    cluster: Cluster
    unit: Unit
    asks: bool = True
    wait_seconds: float = 0.0
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.wait_seconds

    def objection(self, alias: str, contract: Contract) -> Reason | None:
        """Return why this replica may not serve under this contract, or None. A strict contract never gets here."""
        if not self._is_eligible(alias, contract) or not self._is_connected(alias):
            return Reason.UNFIT_REPLICA
        if contract.freshness is Freshness.ANY:
            return None
        if reason := self._objection_of_actor(alias):
            return reason
        is_bounded = contract.freshness is Freshness.BOUNDED
        return Reason.TOO_OLD if is_bounded and not self._is_young(alias, contract.seconds) else None

    def holds_until(self, alias: str, contract: Contract) -> float:
        """Return until when nothing objects to this replica that does not now, on the monotonic clock.

        What is found out or written meanwhile may.
        """
        if refresh() is Refresh.INLINE:
            return math.inf
        others = (replica.alias for replica in self.cluster.replicas if replica.alias != alias)
        until = replicas.holds_until(alias, others)
        is_bounded = contract.freshness is Freshness.BOUNDED
        return min(until, replicas.shows_since(alias) + contract.seconds) if is_bounded else until

    def may_take_over(self, alias: str, contract: Contract) -> bool:
        """Say whether this replica may answer a read that the actor's own replica failed to answer.

        It must show all that any server has shown until now, since nobody knows what the actor has read elsewhere.
        """
        if self.objection(alias, contract) is not None:
            return False
        if contract.freshness is Freshness.ANY:
            return True
        now = replicas.floor_now(self.cluster.primary)
        return now is not None and self._shows(alias, now)

    def may_serve_late(self, alias: str) -> bool:
        """Say whether this replica answers at all, whatever it lacks."""
        return (refresh() is Refresh.INLINE or replicas.is_serving(alias)) and self._is_connected(alias)

    def _is_connected(self, alias: str) -> bool:
        return not self.asks or is_connected(self.cluster, alias, self.unit)

    def _is_eligible(self, alias: str, contract: Contract) -> bool:
        """Say whether what the probes found lets this replica serve."""
        if refresh() is Refresh.INLINE:
            # Without a background nothing is found out, and all replicas are trusted.
            return True
        if contract.freshness is Freshness.ANY:
            return replicas.is_serving(alias)
        return replicas.is_fit(alias) and self._may_stand_in(alias)

    def _may_stand_in(self, alias: str) -> bool:
        """Say whether a replica shows all that was ever read from those which are gone."""
        gone = (replicas.gone_since(replica.alias) for replica in self.cluster.replicas)
        return all(since is None or replicas.shows_since(alias) >= since for since in gone)

    def _objection_of_actor(self, alias: str) -> Reason | None:
        """Return why this replica is not known to show what the actor wrote and saw, or None."""
        primary, trail, now = self.cluster.primary, self.unit.trail, time.time()
        if trail.unsettled:
            # Code outside of any unit has written before this one began. What runs on an event loop asks nothing.
            with suppress(SynchronousOnlyOperation):
                settle_writes(trail, now)
        token = trail.token.left_at(now)
        if token.is_foreign:
            return Reason.FOREIGN_TOKEN
        if primary in trail.bound or primary in trail.unsettled or primary in token.pins:
            return Reason.BEHIND
        return None if all(self._shows(alias, floor) for floor in token.floors_of(primary)) else Reason.BEHIND

    def _shows(self, alias: str, floor: Floor) -> bool:
        while True:
            wanted = self._wanted(floor)
            if wanted is not None and self._has_reached(alias, wanted):
                return True
            if not self._waits():
                return False

    def _wanted(self, floor: Floor) -> Position | None:
        """Return a position that shows the floor; None while none is known.

        A floor that is a time is younger than the last probe of the primary for a moment. An actor who is never idle
        has always been there a moment ago, and would never leave it again; so the primary is probed at once.
        """
        primary = self.cluster.primary
        wanted = replicas.position_of(primary, floor)
        if wanted is not None or refresh() is Refresh.INLINE or not self.asks:
            return wanted
        if _is_on_event_loop() or replicas.primary(primary).is_down:
            return None
        prober.hurry(primary)
        return replicas.wait_for_position(primary, floor, _PATIENCE_SECONDS)

    def _has_reached(self, alias: str, wanted: Position) -> bool:
        known = (replicas.standing(alias).position, self.unit.positions.get(alias))
        if any(position is not None and wanted.is_reached_by(position) for position in known):
            return True
        position = self._position_now(alias)
        return position is not None and wanted.is_reached_by(position)

    def _is_young(self, alias: str, seconds: float) -> bool:
        while True:
            if refresh() is Refresh.INLINE or replicas.age(alias) <= seconds:
                return True
            position = self._position_now(alias)
            if position is not None:
                age = replicas.lag_of(self.cluster.primary, position).seconds
                if age is not None and age <= seconds:
                    return True
            if not self._waits():
                return False

    def _waits(self) -> bool:
        """Let some time pass and say whether there was any left."""
        left = self._deadline - time.monotonic()
        if left <= 0 or not self.asks:
            return False
        time.sleep(min(_PAUSE_SECONDS, left))
        return True

    def _position_now(self, alias: str) -> Position | None:
        if self._may_ask(alias):
            self._ask(alias)
        return self.unit.positions.get(alias)

    def _may_ask(self, alias: str) -> bool:
        """Say whether a server may be asked: once a unit, or again and again while waiting."""
        return self.asks and (alias not in self.unit.positions or bool(self.wait_seconds))

    def _ask(self, alias: str) -> Finding | None:
        try:
            with in_flight.wait(connections[alias]):
                finding = ask(alias)
        except SynchronousOnlyOperation:
            # Nor may the other coroutines wait.
            self.asks = False
            return None
        except (DatabaseError, InterfaceError) as error:
            logger.warning("%r did not say where it stands, so the primary is read: %s", alias, error)
            self.unit.positions[alias] = None
            return None
        self.unit.positions[alias] = finding.position
        return finding


def _is_on_event_loop() -> bool:
    """Say whether this code runs on an event loop, where nothing may wait."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
