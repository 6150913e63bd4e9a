"""How this package asks a server what it says about itself, whatever the connection is."""

from collections.abc import Sequence
from typing import Protocol


class Asker(Protocol):
    """A session on a server. Parameters are $1 and so on, of type text, and so is every column of the answer."""

    def rows(self, sql: str, params: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Return the answer. Raises what the connection raises."""
