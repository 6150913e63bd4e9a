"""One cluster's rounds in the cache that all processes share: this process follows who tells them, or tells them."""

import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

from django.core.cache import caches
from django.db import connections

from rollout.options import Cluster
from rollout.settings import get_settings
from routers.health import Finding
from routers.hearing import REMEMBERED, Heard, Hearing
from routers.own_work import own_work
from routers.rounds import VERSION, Round, decode, encode

logger = logging.getLogger("readshift")

KEPT_SECONDS = 60
"""How long the cache keeps the last round of a leader that is gone."""

_SILENT_TURNS = 2
"""Of probes without a new round: then another process leads."""

_LONELY_TURNS = 3
"""Of probes without a round that can be dated: then this process asks for itself."""


class Feed:
    """This process's end of one cluster's rounds. Not for several threads at once, apart from `others_ask_until`.

    Leaders succeed one another, and each has a number and with it a key of its own. Whoever is the first to `add` the
    key behind that of the leader who has fallen silent is the next one. So two that notice at once cannot both win; a
    leader that was held up finds the next key taken and follows; and no leader's rounds hide those of another. The
    leader goes on writing its key, after a look whether it is still its own, and with it the number, by which others
    find it. Where the cache has lost everything, the higher number prevails.

    No time that a cache keeps is relied on: Django's caches count whole seconds, and some of them roughly.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._prefix = _prefix(cluster)
        self._owner = ""
        self._leader = 0
        self._number = 0
        self._confirmed: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._hearing, self._successor = Hearing(), Hearing()
        self._last: tuple[str, int] = ("", -1)
        self._heard_at = clock()
        self._dated_at = -float("inf")
        self._is_broken = False

    @property
    def is_leading(self) -> bool:
        """Whether this process asks for all."""
        return self._owner != ""

    @property
    def others_ask_until(self) -> float:
        """The time up to which this process need not ask, because another one does and is heard."""
        return self._dated_at + _LONELY_TURNS * get_settings().probe_seconds

    def turn(self, own: Mapping[str, Finding], doubts: Iterable[str]) -> Heard | None:
        """Return what is new in the cache, or None. If this process leads, or if nobody does, tell what it has found.

        own: the last finding of this process about each server. Raises nothing that a cache can cause.
        """
        try:
            with own_work():
                heard = self._read()
                if not self.is_leading and self._is_silent():
                    self._run_for_leader()
                if self.is_leading:
                    self._tell(own, frozenset(doubts))
        except Exception as error:  # noqa: BLE001 - each kind of cache has errors of its own
            # What was being written may still arrive, so that these rounds may not go on.
            self._resign()
            self._report(error)
            return None
        if self._is_broken:
            self._is_broken = False
            logger.info("The cache tells again what other processes find out about the servers.")
        return heard

    def _read(self) -> Heard | None:
        """Follow the leader with the highest number."""
        heard = None
        is_later = True
        while is_later:
            began = self._clock()
            found = self._cache.get_many([self._prefix, self._key(self._leader), self._key(self._leader + 1)])
            ended = self._clock()
            current, successor = (decode(found.get(self._key(self._leader + more))) for more in (0, 1))
            named = found.get(self._prefix)
            highest = named if isinstance(named, int) else 0
            if self.is_leading and current is not None and current.owner != self._owner:
                self._resign()
            heard = self._hear(began, ended, current) or heard
            self._successor.hear(began, ended, successor)
            is_later = successor is not None or highest > self._leader
            if successor is not None:
                self._follow(self._leader + 1, self._successor)
            elif is_later:
                self._follow(highest, Hearing())
        return heard

    def _hear(self, began: float, ended: float, told: Round | None) -> Heard | None:
        heard = self._hearing.hear(began, ended, told)
        if told is not None and (told.owner, told.number) != self._last:
            self._last = told.owner, told.number
            self._heard_at = ended
        if self.is_leading:
            return None
        if heard is not None:
            self._dated_at = ended
        return heard

    def _follow(self, leader: int, hearing: Hearing) -> None:
        self._resign()
        self._leader, self._hearing, self._successor = leader, hearing, Hearing()

    def _is_silent(self) -> bool:
        """Say whether nobody leads: there is no sign of anybody, or the last one told nothing for too long."""
        silence = self._clock() - self._heard_at
        return self._leader == 0 or silence > _SILENT_TURNS * get_settings().probe_seconds

    def _run_for_leader(self) -> None:
        owner = uuid4().hex
        first = encode(Round(owner, 0, self._clock()))
        if self._cache.add(self._key(self._leader + 1), first, timeout=KEPT_SECONDS):
            self._follow(self._leader + 1, Hearing())
            self._owner, self._number = owner, 0
            self._confirmed.clear()
            self._dated_at = -float("inf")

    def _tell(self, own: Mapping[str, Finding], doubts: frozenset[str]) -> None:
        """Publish a round, and read it back: only then is it sure to have been written."""
        self._number += 1
        told = Round(self._owner, self._number, self._clock(), dict(self._confirmed), own, doubts)
        key = self._key(self._leader)
        self._cache.set_many({key: encode(told), self._prefix: self._leader}, timeout=KEPT_SECONDS)
        back = decode(self._cache.get(key))
        if back is not None and (back.owner, back.number) == (self._owner, self._number):
            self._confirmed.append((self._number, self._clock()))

    def _resign(self) -> None:
        self._owner = ""

    def _report(self, error: Exception) -> None:
        if not self._is_broken:
            self._is_broken = True
            logger.warning("The cache does not tell what others find out, so this process asks all servers: %s", error)
        # A cache in a database would otherwise go on with a connection that is broken.
        connections.close_all()

    def _key(self, leader: int) -> str:
        return f"{self._prefix}:{leader}"

    @property
    def _cache(self) -> Any:
        return caches[get_settings().cache]


def _prefix(cluster: Cluster) -> str:
    """Return the key of a cluster: the same for all processes that know the same servers by the same addresses.

    While a deployment changes them, old and new processes have a leader each, and so have two projects with one cache.
    """
    servers = [
        (alias, *(str(connections[alias].settings_dict[name]) for name in ("HOST", "PORT", "NAME")))
        for alias in sorted(cluster.aliases)
    ]
    digest = hashlib.sha256(json.dumps([cluster.primary, servers]).encode()).hexdigest()[:16]
    # In braces, so that a cache of several servers that knows them keeps all keys of a cluster in one place.
    return f"readshift:probing:{VERSION}:{{{digest}}}"
