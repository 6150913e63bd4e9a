"""Carries out a schedule against the servers of one run."""

import time
from collections.abc import Callable, Sequence
from threading import Event as Signal
from threading import Thread
from types import TracebackType
from typing import Self

from benchmarks.consistency.history import Handover
from benchmarks.consistency.schedule import Action, Event
from benchmarks.consistency.topology import Entrance, Topology
from benchmarks.relay import Relay

_REPLAY_SECONDS = 60.0
_STOP_SECONDS = 90.0


class Nemesis:
    """A thread that disturbs the standbys, and once replaces the primary.

    A switchover is a planned one, as an operator does it: new operations wait at the entrance, those under way end, the
    relay cuts every connection to the primary, the standby replays all that the primary committed and is promoted, and
    the relay points to it. The old primary is thrown away, the other standby follows the new one.
    """

    def __init__(
        self,
        events: Sequence[Event],
        topology: Topology,
        relay: Relay,
        entrance: Entrance,
        say: Callable[[str], None],
    ) -> None:
        self.handovers: list[Handover] = []
        self._events = events
        self._topology, self._relay, self._entrance, self._say = topology, relay, entrance, say
        self._standbys = tuple(topology.standbys)
        self._stopped = Signal()
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name="nemesis", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)

    def check(self) -> None:
        """Raise what kept the nemesis from its work: a run without it proves nothing."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        begin = time.monotonic()
        try:
            for event in self._events:
                if self._stopped.wait(max(0.0, begin + event.at - time.monotonic())):
                    return
                self._do(event)
                self._say(f"{time.monotonic() - begin:5.1f} s  {event.action} standby {event.standby} {event.value:g}")
        except Exception as error:  # noqa: BLE001 - kept for the runner, which raises it
            self._error = error

    def _do(self, event: Event) -> None:
        standby = self._standbys[event.standby]
        match event.action:
            case Action.DELAY:
                standby.set_apply_delay(event.value)
            case Action.PAUSE:
                standby.pause_replay()
            case Action.RESUME:
                standby.resume_replay()
            case Action.KILL:
                standby.kill()
            case Action.START:
                standby.start()
            case Action.SWITCHOVER:
                self._switch_over(event.standby)

    def _switch_over(self, number: int) -> None:
        chosen = self._standbys[number]
        others = [standby for standby in self._topology.standbys if standby is not chosen]
        old = self._topology.primary
        with self._entrance.closed(_REPLAY_SECONDS):
            self._relay.cut()
            position = old.commit_position()
            for standby in (chosen, *others):
                standby.wait_for_position(position, _REPLAY_SECONDS)
            old.stop("fast")
            chosen.promote()
            for other in others:
                # Slots are not replicated: the new primary has none yet.
                chosen.query("SELECT pg_create_physical_replication_slot(%s, true)", [other.name])
                other.reconnect(chosen)
            self._topology.primary, self._topology.standbys = chosen, others
            self.handovers.append(Handover(time.monotonic(), self._topology.versions()))
            self._relay.point_to(chosen.port)
