"""How far a revision has come: which processes act on it, which do not yet, and which are gone."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, Func, Subquery

from rollout.loading import read_revision
from rollout.models import PolicyRevision, Process
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


@dataclass(frozen=True, slots=True)
class Roll:
    """The rows of all processes, and the current revision. now: by the clock of the primary; None without rows."""

    revision: int
    rows: tuple[Process, ...]
    now: datetime | None

    def propagation(self, revision: int | None = None) -> Propagation:
        """Return how far a revision has come, by default the current one."""
        wanted = self.revision if revision is None else revision
        if self.now is None:
            return Propagation(wanted, processes=0, current=0)
        return propagation(wanted, self.rows, self.now, timedelta(seconds=get_settings().longest_absence_seconds))


def read_roll(using: str) -> Roll:
    """Read which processes there are, and the current revision, in one query, or in two where no process has a row.

    Raises what the database raises.
    """
    rows = tuple(
        Process.objects.using(using).annotate(
            now=Func(function="clock_timestamp", output_field=DateTimeField()),
            current_revision=Subquery(PolicyRevision.objects.values("revision")[:1]),
        )
    )
    if not rows:
        return Roll(read_revision(using), rows, None)
    return Roll(rows[0].current_revision or 0, rows, rows[0].now)


def read_propagation(using: str, revision: int | None = None) -> Propagation:
    """Read how far a revision has come, by default the current one. Raises what the database raises.

    using: the primary that holds the rules.
    """
    return read_roll(using).propagation(revision)


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
