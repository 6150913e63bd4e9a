"""How far a revision has come: which processes act on it, which do not yet, and which are gone."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from rollout.loading import read_revision
from rollout.models import Process
from rollout.settings import get_settings

_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Laggard:
    """A process that does not act on the revision yet. revision: what it acts on; None when it has read no policy."""

    name: str
    revision: int | None

    def __str__(self) -> str:
        return f"{self.name} ({'no policy yet' if self.revision is None else f'revision {self.revision}'})"


@dataclass(frozen=True, slots=True)
class Propagation:
    """How many processes live, how many of them act on the revision or a later one, and the others by name.

    gone: those that have told nothing for so long that they route nothing any more: they have ended, or their policy is
    too old to decide. They do not count as processes.
    """

    revision: int
    processes: int
    current: int
    behind: tuple[Laggard, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return not self.behind

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "revision": self.revision,
            "processes": self.processes,
            "current": self.current,
            "behind": [str(each) for each in self.behind],
            "gone": list(self.gone),
        }

    def __str__(self) -> str:
        noun = "process" if self.processes == 1 else "processes"
        counts = f"{self.current} of {self.processes} {noun} on revision {self.revision}"
        behind = f"; behind: {', '.join(map(str, self.behind))}" if self.behind else ""
        return counts + behind + (f"; gone: {', '.join(self.gone)}" if self.gone else "")


def propagation(revision: int, rows: Iterable[Process], now: datetime, longest_absence: timedelta) -> Propagation:
    """Return how far this revision has come. Pure.

    now: by the clock of the primary, as the rows are. longest_absence: for how long a process that tells nothing may
    still act on a policy.
    """
    ordered = sorted(rows, key=lambda row: (row.host, row.service, row.pid, row.started_at))
    living = [row for row in ordered if now - row.seen_at <= longest_absence]
    behind = [row for row in living if row.revision is None or row.revision < revision]
    return Propagation(
        revision=revision,
        processes=len(living),
        current=len(living) - len(behind),
        behind=tuple(Laggard(str(row), row.revision) for row in behind),
        gone=tuple(str(row) for row in ordered if now - row.seen_at > longest_absence),
    )


def read_propagation(using: str, revision: int | None = None) -> Propagation:
    """Read how far a revision has come, by default the current one. Raises what the database raises.

    using: the primary that holds the rules.
    """
    wanted = read_revision(using) if revision is None else revision
    rows = list(Process.objects.using(using).all())
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return propagation(wanted, rows, now, timedelta(seconds=get_settings().longest_absence_seconds))


def wait_for_processes(
    revision: int,
    seconds: float,
    using: str,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Propagation:
    """Return once every living process acts on this revision or a later one, or when the time is over.

    Call it after the change has committed: until then no other process can read it. Raises what the database raises.
    """
    deadline = clock() + seconds
    while True:
        found = read_propagation(using, revision)
        left = deadline - clock()
        if found.is_complete or left <= 0:
            return found
        sleep(min(_LOOK_SECONDS, left))
