"""Which server is the primary now, and what the registers hold there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from demo.cluster import Server

DATABASE = "consistency"
_VERSIONS = "SELECT key, version FROM consistency_register UNION ALL SELECT key, version FROM consistency_document"


@dataclass(slots=True)
class Topology:
    """The roles of the servers. A switchover changes them; a server that was thrown away has none."""

    primary: Server
    standbys: list[Server] = field(default_factory=list)

    def versions(self) -> dict[str, int]:
        """Return the version of every key on the primary."""
        return dict(self.primary.query(_VERSIONS, dbname=DATABASE))


class Entrance:
    """Lets operations in, and can hold them back until none is under way."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._is_open = True
        self._inside = 0

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Wait until the entrance is open, and be inside meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_open)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self, timeout: float) -> Iterator[None]:
        """Hold everybody back, and begin when nobody is inside. Raises `TimeoutError` when somebody stays."""
        try:
            with self._changed:
                self._is_open = False
                if not self._changed.wait_for(lambda: self._inside == 0, timeout):
                    raise TimeoutError(f"Waited {timeout:g} s for the operations under way to end.")
            yield
        finally:
            with self._changed:
                self._is_open = True
                self._changed.notify_all()
