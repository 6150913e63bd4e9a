"""What a run of all benchmarks leaves behind: `docs/benchmarks.json`, of which the page is made. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.bounds import Bound
from benchmarks.entries import Entry


@dataclass(frozen=True, slots=True)
class Run:
    """One benchmark as it was run.

    Attributes:
        arguments: of its command line.
        seconds: how long it took.
        idle_before: the share of the processors' time that nobody needed just before; None where it is not known.
        figures: its result; None when it measured nothing.
        last_words: what it said at last, when it measured nothing.
    """

    name: str
    arguments: str
    seconds: float
    idle_before: float | None
    figures: Mapping[str, Any] | None
    last_words: str = ""

    def bounds(self, entry: Entry) -> Sequence[Bound]:
        """Return what the figures are held to; nothing where nothing was measured."""
        return () if self.figures is None else entry.bounds(self.figures)


@dataclass(frozen=True, slots=True)
class Record:
    """All of them, and what they ran on.

    Attributes:
        form: "short" or "full".
        date: when it began, in UTC.
        commit: of the checkout; empty where it is none.
        is_clean: whether the checkout held that commit and nothing else.
        machine, versions: name to what it is, as it is shown.
    """

    form: str
    date: str
    commit: str
    is_clean: bool
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """How long all of them took together."""
        return sum(run.seconds for run in self.runs)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> "Record":
        return cls(**{**told, "runs": tuple(Run(**run) for run in told["runs"])})


def is_good(runs: Iterable[Run], entries: Mapping[str, Entry]) -> bool:
    """Say whether every benchmark measured something and missed no bound."""
    return all(
        run.figures is not None and not any(bound.is_missed for bound in run.bounds(entries[run.name])) for run in runs
    )
