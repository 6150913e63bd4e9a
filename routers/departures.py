"""Reads that are on their way to a replica: decided, and not answered yet.

A process that has taken over a new policy may still send a read that it decided by the one before. Only once none is
left does it act on the new one alone.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakSet

_LONGEST_JOURNEY_SECONDS = 0.5
"""From a decision until its statement has arrived at the server; what runs for longer arrived long ago. A decision that
no statement follows counts for so long, too."""

NEVER = 0.0
"""The time of departure of a read that is not on its way."""


class Seat:
    """Where one thread takes down when its read departed: between its decision and its answer, it does nothing else.

    thread: the thread's number; 0 once it has ended, as another one may get the same. connection: on which it waits for
    the answer, where a remembered decision has led it there; else None. is_cut: whether it was cut off meanwhile.
    """

    __slots__ = ("__weakref__", "connection", "departed_at", "is_cut", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.departed_at = NEVER
        self.connection: Any = None
        self.is_cut = False


class _Occupied:
    """What a thread holds while it lives."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    def __del__(self) -> None:
        self._seat.thread = 0


class _Here(threading.local):
    """The seat of the thread that looks."""

    def __init__(self, departures: "Departures") -> None:
        self.seat = departures.new_seat()
        self._occupied = _Occupied(self.seat)


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
        self.here.seat.departed_at = NEVER

    def seats(self) -> tuple[Seat, ...]:
        """Return the seats of all threads."""
        with self._lock:
            return tuple(self._seats)

    def under_way(self) -> Mapping[Seat, float]:
        """Return what is on its way now, for `are_left`."""
        return {seat: since for seat in self.seats() if (since := seat.departed_at) != NEVER}

    def are_left(self, seen: Mapping[Seat, float]) -> bool:
        """Say whether any of these may not have arrived at its server yet."""
        earliest = self._clock() - _LONGEST_JOURNEY_SECONDS
        return any(since > earliest and seat.departed_at == since for seat, since in seen.items())

    def after_fork(self) -> None:
        """Begin anew in a child: what was on its way in the parent is so there."""
        self._lock = threading.Lock()
        for seat in self._seats:
            seat.departed_at = NEVER


departures = Departures()
"""The reads of this process."""
