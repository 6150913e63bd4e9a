"""Holding a server to a share of one processor, by a control group of its own.

A group is given more weight than everything else besides, so that a server also gets its share on a machine that others
use.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from demo.cluster import Server
from demo.cluster.processes import children, living
from demo.waiting import wait_until

PERIOD_SECONDS = 0.05

_MOUNTS = Path("/proc/mounts")
_PREFIX = "readshift-"
_WEIGHT = 10
"""How many times as much as what is in no group."""

_MICROSECONDS = 1_000_000
_NANOSECONDS = 1_000_000_000
_REMOVAL_SECONDS = 5.0


class NotAllowedError(RuntimeError):
    """This user cannot hold a process to a share of the processor here. The message says why."""


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """Where the system shows its control groups. limits, accounts: version 1, often one folder. unified: version 2."""

    limits: Path | None = None
    accounts: Path | None = None
    unified: Path | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What a server is held by. folders: in each hierarchy. usage: the file that tells what it took; unit: of that."""

    folders: tuple[Path, ...]
    usage: Path
    unit: int

    def used_seconds(self) -> float:
        """Return how much processor time all processes in the group have taken so far."""
        words = self.usage.read_text().split()
        return int(words[1] if words[0] == "usage_usec" else words[0]) / self.unit


def hierarchies(mounts: str) -> Hierarchies:
    """Find the control groups among the mounts, as /proc/mounts lists them. Pure."""
    found: dict[str, Path] = {}
    for line in mounts.splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found.setdefault("unified", Path(folder))
        elif kind == "cgroup":
            controllers = options.split(",")
            for name, controller in (("limits", "cpu"), ("accounts", "cpuacct")):
                if controller in controllers:
                    found.setdefault(name, Path(folder))
    return Hierarchies(**found)


def settings(share: float, period_seconds: float, *, unified: bool) -> Mapping[str, str]:
    """Return what is written to which file of a group, for a share of one processor. Pure."""
    period = round(period_seconds * _MICROSECONDS)
    quota = round(share * period)
    if unified:
        return {"cpu.max": f"{quota} {period}", "cpu.weight": str(100 * _WEIGHT)}
    return {
        "cpu.cfs_period_us": str(period),
        "cpu.cfs_quota_us": str(quota),
        "cpu.shares": str(1024 * _WEIGHT),
    }


@contextmanager
def held(
    server: Server, share: float, *, period_seconds: float = PERIOD_SECONDS, mounts: str | None = None
) -> Iterator[Group]:
    """Let all processes of a running server together use this share of one processor at most.

    period_seconds: within which the share is used up, or not. mounts: instead of this machine's. Raises
    `NotAllowedError` when this user may not make groups, or there are none.
    """
    files = {unified: settings(share, period_seconds, unified=unified) for unified in (False, True)}
    with _grouped(server.name, files, mounts) as group:
        if server.pid is not None:
            _move([server.pid], group)
            # What it forks from now on begins in its group.
            _move(children(server.pid), group)
        yield group


@contextmanager
def spared(name: str, pids: Iterable[int], *, mounts: str | None = None) -> Iterator[Group]:
    """Let these processes use what nobody else needs. Raises as `held` does."""
    with _grouped(name, {False: {"cpu.shares": "2"}, True: {"cpu.weight": "1"}}, mounts) as group:
        _move(pids, group)
        yield group


@contextmanager
def _grouped(name: str, files: Mapping[bool, Mapping[str, str]], mounts: str | None) -> Iterator[Group]:
    """Have a group of this name. files: what is written into it, by whether it is of version 2."""
    found = hierarchies(_read_mounts() if mounts is None else mounts)
    _remove_left_behind(found)
    group = _make(found, f"{_PREFIX}{os.getpid()}-{name}", files[found.limits is None])
    try:
        yield group
    finally:
        _dissolve(group)


def _read_mounts() -> str:
    return _MOUNTS.read_text() if _MOUNTS.exists() else ""


def _make(found: Hierarchies, name: str, files: Mapping[str, str]) -> Group:
    try:
        if found.limits is not None:
            limits, accounts = found.limits / name, (found.accounts or found.limits) / name
            limits.mkdir()
            # Both controllers often share one hierarchy.
            accounts.mkdir(exist_ok=True)
            group = Group(tuple(dict.fromkeys((limits, accounts))), accounts / "cpuacct.usage", _NANOSECONDS)
        elif found.unified is not None:
            (found.unified / "cgroup.subtree_control").write_text("+cpu")
            limits = found.unified / name
            limits.mkdir()
            group = Group((limits,), limits / "cpu.stat", _MICROSECONDS)
        else:
            raise NotAllowedError("This system shows no control groups.")
        for file, text in files.items():
            (limits / file).write_text(text)
    except OSError as error:
        _remove(found, name)
        raise NotAllowedError(f"{error.strerror}: {error.filename}") from error
    return group


def _move(pids: Iterable[int], group: Group) -> None:
    for pid in pids:
        for folder in group.folders:
            # It may have ended meanwhile.
            with suppress(ProcessLookupError):
                _join(pid, folder)


def _join(pid: int, folder: Path) -> None:
    (folder / "cgroup.procs").write_text(str(pid))


def _dissolve(group: Group) -> None:
    """Let the processes go on outside, and remove the group."""
    for folder in group.folders:
        wait_until(partial(_is_removed, folder), _REMOVAL_SECONDS, f"the group {folder} to be empty")


def _is_removed(folder: Path) -> bool:
    with suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text().split():
            _join(int(pid), folder.parent)
    with suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def _remove(found: Hierarchies, name: str) -> None:
    for root in (found.limits, found.accounts, found.unified):
        if root is not None:
            with suppress(OSError):
                (root / name).rmdir()


def _remove_left_behind(found: Hierarchies) -> None:
    """Remove the groups of runs that were killed, whose servers have ended."""
    alive = {process.pid for process in living()}
    for root in {found.limits, found.accounts, found.unified} - {None}:
        for folder in (root or Path()).glob(f"{_PREFIX}*"):
            owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
            if owner.isdecimal() and int(owner) not in alive:
                with suppress(OSError):
                    folder.rmdir()
