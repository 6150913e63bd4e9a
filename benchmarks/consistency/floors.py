"""What an actor must be shown from some moment on, and what lies behind the versions that it was shown."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass

from benchmarks.consistency.history import Operation


class Floor:
    """For each key the lowest version that may be shown from now on, and the operation that is the reason."""

    __slots__ = ("versions",)

    def __init__(self) -> None:
        self.versions: dict[str, tuple[int, Operation]] = {}

    def raise_to(self, key: str, version: int, reason: Operation) -> None:
        """Demand this version of the key from now on, unless more is demanded already."""
        if version > self.versions.get(key, (0, reason))[0]:
            self.versions[key] = (version, reason)

    def merge(self, other: "Floor") -> None:
        """Demand what the other demands as well."""
        # Most of the time of a check is spent here.
        own = self.versions
        for key, entry in other.versions.items():
            known = own.get(key)
            if known is None or entry[0] > known[0]:
                own[key] = entry

    def copy(self) -> "Floor":
        """Return a floor that goes its own way from here."""
        copied = Floor()
        copied.versions = dict(self.versions)
        return copied

    def broken_by(self, key: str, version: int) -> Operation | None:
        """Return the reason why this version is too low, or None."""
        lowest, reason = self.versions.get(key, (0, None))
        return reason if version < lowest else None


@dataclass(frozen=True, slots=True)
class Past:
    """What lies behind a version: what the writers of it and of all below had written and read before they wrote."""

    written: Floor
    read: Floor


class Pasts:
    """The past of every version of every key. Complete before it is asked."""

    def __init__(self) -> None:
        self._writes: dict[str, list[tuple[int, Past]]] = defaultdict(list)
        self._merged: dict[str, tuple[list[int], list[Past]]] = {}

    def note(self, key: str, version: int, past: Past) -> None:
        """Keep what lies behind the write that made this version."""
        self._writes[key].append((version, past))

    def behind(self, key: str, version: int) -> Past | None:
        """Return what whoever sees this version must see as well."""
        if key not in self._merged:
            self._merged[key] = self._merge(key)
        versions, pasts = self._merged[key]
        position = bisect_right(versions, version)
        return pasts[position - 1] if position else None

    def _merge(self, key: str) -> tuple[list[int], list[Past]]:
        versions: list[int] = []
        pasts: list[Past] = []
        written, read = Floor(), Floor()
        for version, past in sorted(self._writes.get(key, ()), key=lambda entry: entry[0]):
            written.merge(past.written)
            read.merge(past.read)
            versions.append(version)
            pasts.append(Past(written.copy(), read.copy()))
        return versions, pasts
