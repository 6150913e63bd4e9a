"""Which processes act on the policy's revision, and which should long have done so. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from rollout.propagation import Laggard, Propagation, Roll

PATIENCE = timedelta(seconds=5)
"""How long a process may take before it is worth a word. A change usually reaches all of them within a second."""

MANY = 5


@dataclass(frozen=True, slots=True)
class Processes:
    """How far the revision has come. late: those that have not applied it although others did a while ago."""

    propagation: Propagation
    late: tuple[Laggard, ...]

    @property
    def words(self) -> str:
        """How many act on it, in one sentence."""
        one = self.propagation
        if not one.processes:
            return "No process has told yet which revision it acts on."
        noun = "process" if one.processes == 1 else "processes"
        return f"{one.current} of {one.processes} {noun} on revision {one.revision}"

    @property
    def problem(self) -> str:
        """What the strip says of processes that are late, or nothing."""
        if not self.late:
            return ""
        named = ", ".join(map(str, self.late[:MANY]))
        more = f" and {len(self.late) - MANY} more" if len(self.late) > MANY else ""
        subject = "1 process does" if len(self.late) == 1 else f"{len(self.late)} processes do"
        return (
            f"{subject} not act on revision {self.propagation.revision} of the policy yet: {named}{more}. "
            f"They go to the primary once their policy is too old; restart what hangs."
        )


def processes_of(roll: Roll) -> Processes:
    """Say how far the current revision has come."""
    found = roll.propagation()
    applied = [row.applied_at for row in roll.rows if row.revision == roll.revision and row.applied_at is not None]
    is_time_up = roll.now is not None and (not applied or roll.now - min(applied) > PATIENCE)
    return Processes(found, found.behind if is_time_up else ())
