"""Reads that are on their way to a replica: decided, and not answered yet.

A process that has taken over a new policy may still send a read that it decided by the one before. Only once none is
left does it act on the new one alone.
"""

import time
from collections.abc import Callable, Mapping
from threading import get_ident

_LONGEST_JOURNEY_SECONDS = 0.5
"""From a decision until its statement has arrived at the server; what runs for longer arrived long ago. A decision that
no statement follows counts for so long, too."""


class Departures:
    """When the last read of each thread departed: between its decision and its answer, a thread does nothing else.

    Its methods are a dictionary's single steps, which need no lock. They run with every read.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}

    def begin(self) -> None:
        """Take down that this thread is deciding a read. Before the policy is looked at."""
        self._since[get_ident()] = self._clock()

    def end(self) -> None:
        """Take down that this thread's read was answered, or goes to the primary."""
        self._since.pop(get_ident(), None)

    def under_way(self) -> Mapping[int, float]:
        """Return what is on its way now, for `are_left`."""
        return dict(self._since)

    def are_left(self, seen: Mapping[int, float]) -> bool:
        """Say whether any of these may not have arrived at its server yet."""
        earliest = self._clock() - _LONGEST_JOURNEY_SECONDS
        return any(since > earliest and self._since.get(thread) == since for thread, since in seen.items())

    def after_fork(self) -> None:
        """Begin anew in a child: what was on its way in the parent is so there."""
        self._since = {}


departures = Departures()
"""The reads of this process."""
