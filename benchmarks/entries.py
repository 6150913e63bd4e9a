"""What each benchmark declares of itself, for `python -m benchmarks`, in a module `entry` of its package.

A new benchmark is a package with a `__main__`, which has a function `parser()` and, called with `--json`, prints its
result as one line of JSON, the last line; and with an `entry`, which holds `ENTRY`. Nothing else has to know of it.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.bounds import Bound

FOLDER = Path(__file__).resolve().parent


class EntryError(RuntimeError):
    """A package of `benchmarks` does not say how it is run. The message says which, and what is missing."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way of running a benchmark.

    arguments: of its command line, as they are typed. limit_seconds: when it is ended, far above what it takes.
    note: what this form leaves out, or may not be able to show; a sentence.
    """

    arguments: str
    limit_seconds: float
    note: str = ""

    @property
    def words(self) -> list[str]:
        return shlex.split(self.arguments)


@dataclass(frozen=True, slots=True)
class Entry:
    """How a benchmark is run, and what it is held to.

    short: for the run of all of them, which takes ten minutes at most. bounds: those of the result that it prints.
    """

    short: Form
    full: Form
    bounds: Callable[[Mapping[str, Any]], Sequence[Bound]]


def names() -> list[str]:
    """Return the benchmarks in the order in which they are run: by their names."""
    return sorted(file.parent.name for file in FOLDER.glob("*/__main__.py"))


def entry(name: str) -> Entry:
    """Return what this benchmark declares. Raises `EntryError` when it does not."""
    module = f"{__package__}.{name}.entry"
    try:
        found = import_module(module).ENTRY
    except (ModuleNotFoundError, AttributeError) as error:
        raise EntryError(f"{module} has no ENTRY ({error}). Write one as in benchmarks/pages/entry.py.") from error
    if not isinstance(found, Entry):
        raise EntryError(f"{module}.ENTRY is {found!r}. Make it an Entry of benchmarks.entries.")
    return found


def shows(name: str) -> str:
    """Return what this benchmark shows: the first line of its documentation."""
    return (import_module(f"{__package__}.{name}").__doc__ or "").partition("\n")[0].strip()


def command(name: str, arguments: str) -> str:
    """Return what one types to run it like this."""
    return " ".join(f"python -m {__package__}.{name} {arguments} --json".split())
