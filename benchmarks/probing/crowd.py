"""Processes that share their probes, whose leader is killed again and again."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from benchmarks.probing.askers import context
from benchmarks.probing.member import Seen, live
from benchmarks.probing.project import Addresses
from demo.cluster import Server

_LOOK_SECONDS = 0.05
_START_SECONDS = 60.0
_BETWEEN_KILLS_SECONDS = 4.0
_STOP_SECONDS = 10.0


@dataclass(slots=True, eq=False)
class Member:
    """A process, and what it has told."""

    process: BaseProcess
    told: Connection
    leads: bool = False
    is_fit: bool = False


@dataclass(slots=True)
class Crowd:
    """The processes, and what they saw together."""

    addresses: Addresses
    size: int
    members: list[Member] = field(default_factory=list)
    leaders_killed: int = 0
    gaps: list[float] = field(default_factory=list)
    seconds: float = 0.0
    unfit_seconds: float = 0.0
    longest_stall: float = 0.0

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Have the processes live as long as this block, which begins when all have found the replicas fit."""
        try:
            for _ in range(self.size):
                self._start()
            deadline = time.monotonic() + _START_SECONDS
            while not all(member.is_fit for member in self.members) or not any(m.leads for m in self.members):
                self._listen()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"Waited {_START_SECONDS:g} s for {self.size} processes to find replicas.")
            self.seconds = self.unfit_seconds = self.longest_stall = 0.0
            yield
        finally:
            for member in self.members:
                member.process.kill()
            for member in self.members:
                member.process.join(_STOP_SECONDS)

    def lose_leaders(self, seconds: float, say: Callable[[str], None]) -> None:
        """Kill the leader every few seconds, and have a new process take its place."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            leader = next(member for member in self.members if member.leads)
            leader.process.kill()
            killed_at = time.monotonic()
            self.members.remove(leader)
            self.leaders_killed += 1
            while not any(member.leads for member in self.members):
                self._listen()
            self.gaps.append(time.monotonic() - killed_at)
            say(f"the leader was killed, and {self.gaps[-1]:.2f} s later another process led")
            leader.process.join(_STOP_SECONDS)
            self._start()
            while time.monotonic() < killed_at + _BETWEEN_KILLS_SECONDS:
                self._listen()

    def lose_replica(self, server: Server) -> float:
        """Let a standby hang, and return how many seconds it took until no process took it for fit."""
        while not all(member.is_fit for member in self.members):
            self._listen()
        server.hang()
        hung_at = time.monotonic()
        try:
            while any(member.is_fit for member in self.members):
                self._listen()
            return time.monotonic() - hung_at
        finally:
            server.resume()

    def _start(self) -> None:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=live, args=(self.addresses, there), daemon=True)
        process.start()
        there.close()
        self.members.append(Member(process, here))

    def _listen(self) -> None:
        ready = wait([member.told for member in self.members], _LOOK_SECONDS)
        for member in self.members:
            if member.told in ready:
                # One that was killed ends its last sentence early.
                with suppress(EOFError, OSError):
                    self._take(member, member.told.recv())

    def _take(self, member: Member, seen: Seen) -> None:
        member.leads, member.is_fit = seen.leads, seen.is_fit
        self.seconds += seen.seconds
        self.unfit_seconds += seen.unfit_seconds
        self.longest_stall = max(self.longest_stall, seen.longest_stall)
