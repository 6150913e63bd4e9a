"""The processes of this machine, and ending those that belong to a cluster."""

import ctypes
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from demo.waiting import wait_until

_PROC = Path("/proc")
_EXIT_SECONDS = 10.0
_IPC_RMID = 0  # the same on Linux and macOS
_KEY_LINE = 6  # of postmaster.pid, counted from 0


@dataclass(frozen=True, slots=True)
class Process:
    """A living process: its number, its parent's, and its command line in one string."""

    pid: int
    parent: int
    command: str


def living() -> Iterator[Process]:
    """Return the processes of this machine as they are now.

    Zombies are left out: they run nothing any more, and in a container without an init process they stay for ever.
    """
    return _living_in_proc() if (_PROC / "self" / "stat").exists() else _living_by_ps()


def children(pid: int) -> list[int]:
    """Return the living children of a process."""
    return [process.pid for process in living() if process.parent == pid]


def end(pids: Iterable[int]) -> None:
    """Kill these processes and return when they are gone. Raises `TimeoutError` when one does not go."""
    victims = set(pids)
    send(victims, signal.SIGKILL)
    _wait_for_end(victims)


def end_servers_below(folder: Path) -> None:
    """End every server, pooler and tool that sets one up, whose files lie below `folder`: an owner left them behind.

    A process is recognised by its own command line, so that a number which has been given to another program since is
    never hit.
    """
    ours = re.compile(rf"(^|/)((postgres|initdb|pg_basebackup) -D|pgbouncer) {re.escape(str(folder))}/")
    roots = {process.pid for process in living() if ours.search(process.command)}
    if not roots:
        return
    family = _with_descendants(roots)
    # Asked first: a server, and the one that initdb runs, remove their shared memory when they are not killed.
    send(roots, signal.SIGQUIT)
    send(family, signal.SIGCONT)
    with suppress(TimeoutError):
        _wait_for_end(family)
    end(_with_descendants(family))


def _wait_for_end(pids: set[int]) -> None:
    wait_until(
        lambda: pids.isdisjoint(process.pid for process in living()),
        _EXIT_SECONDS,
        f"the processes {sorted(pids)} to end",
    )


def _with_descendants(pids: set[int]) -> set[int]:
    found = list(living())
    family: set[int] = set()
    generation = pids
    while generation:
        family |= generation
        generation = {process.pid for process in found if process.parent in generation} - family
    return family


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each of these processes that still exists."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def release_shared_memory(data: Path) -> None:
    """Remove the System V segment of a dead server, which it noted in its data folder; SIGKILL leaves it behind.

    The server only locks its data folder with it (56 bytes), but a machine has a limited number of them.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return
    if len(lines) <= _KEY_LINE or not lines[_KEY_LINE].strip():
        return
    key, identifier = (int(number) for number in lines[_KEY_LINE].split())
    libc = ctypes.CDLL(None)
    # The number may have been given away since, for example by a reboot. The key tells.
    if libc.shmget(key, 0, 0) == identifier:
        libc.shmctl(identifier, _IPC_RMID, None)


def _living_in_proc() -> Iterator[Process]:
    for folder in _PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        # A process may end between the listing and the reading.
        with suppress(FileNotFoundError, ProcessLookupError):
            # The name in parentheses may itself hold spaces and parentheses.
            state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if state not in "ZX":
                yield Process(int(folder.name), int(parent), command)


def _living_by_ps() -> Iterator[Process]:
    command = ["/bin/ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="]
    listing = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a constant command
    for line in listing.stdout.decode(errors="replace").splitlines():
        pid, parent, state, *rest = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield Process(int(pid), int(parent), "".join(rest))
