"""Reads that are on their way to a replica: decided, and not answered yet.

A process that has taken over a new policy may still send a read that it decided by the one before. Only once none is
left does it act on the new one alone.
"""

import threading
import time
from collections.abc import Callable, Mapping
from weakref import WeakSet

_LONGEST_JOURNEY_SECONDS = 0.5
"""From a decision until its statement has arrived at the server; what runs for longer arrived long ago. A decision that
no statement follows counts for so long, too."""

_NEVER = 0.0


class Seat:
    """Where one thread takes down when its read departed: between its decision and its answer, it does nothing else."""

    __slots__ = ("__weakref__", "departed_at")

    def __init__(self) -> None:
        self.departed_at = _NEVER


class _Here(threading.local):
    """The seat of the thread that looks."""

    def __init__(self, departures: "Departures") -> None:
        self.seat = departures.new_seat()


class Departures:
    """When the last read of each thread departed.

    What runs with every read writes into its thread's seat alone, `here.seat`, and needs no lock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seats: WeakSet[Seat] = WeakSet()
        self.here = _Here(self)

    def new_seat(self) -> Seat:
        """Return a seat for a thread that has none yet."""
        seat = Seat()
        with self._lock:
            self._seats.add(seat)
        return seat

    def begin(self) -> None:
        """Take down that this thread is deciding a read. Before the policy is looked at."""
        self.here.seat.departed_at = self._clock()

    def end(self) -> None:
        """Take down that this thread's read was answered, or goes to the primary."""
        self.here.seat.departed_at = _NEVER

    def under_way(self) -> Mapping[Seat, float]:
        """Return what is on its way now, for `are_left`."""
        with self._lock:
            seats = tuple(self._seats)
        return {seat: since for seat in seats if (since := seat.departed_at) != _NEVER}

    def are_left(self, seen: Mapping[Seat, float]) -> bool:
        """Say whether any of these may not have arrived at its server yet."""
        earliest = self._clock() - _LONGEST_JOURNEY_SECONDS
        return any(since > earliest and seat.departed_at == since for seat, since in seen.items())

    def after_fork(self) -> None:
        """Begin anew in a child: what was on its way in the parent is so there."""
        self._lock = threading.Lock()
        for seat in self._seats:
            seat.departed_at = _NEVER


departures = Departures()
"""The reads of this process."""
