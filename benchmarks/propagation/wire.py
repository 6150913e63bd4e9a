"""What a server's log says: which process sent a statement that names the table, and when it arrived."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LINE_PREFIX = "%n %a|"
"""PostgreSQL's `log_line_prefix` that `arrivals` can read: the time in seconds with milliseconds, and who it is."""

_WORKER = "worker-"
_LINE = re.compile(rf"(?P<at>\d+\.\d{{3}}) {_WORKER}(?P<pid>\d+)\|LOG:  (?:statement|execute [^:]*): (?P<statement>.*)")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A statement that a process sent. at: when it arrived, by the server's clock, in seconds, rounded down to ms."""

    at: float
    pid: int


def worker_name(pid: int) -> str:
    """Return the application name by which a server's log tells this process."""
    return f"{_WORKER}{pid}"


def arrivals(lines: Iterable[str], table: str) -> Iterator[Arrival]:
    """Yield the statements of the project's processes that name this table, in the order of the log. Pure."""
    for line in lines:
        found = _LINE.match(line)
        if found is not None and f'"{table}"' in found["statement"]:
            yield Arrival(float(found["at"]), int(found["pid"]))
