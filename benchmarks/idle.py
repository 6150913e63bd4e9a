"""How much of the processors' time nobody needed: a benchmark that has none left measures itself."""

from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = slice(3, 5)  # idle, and waiting for a disk
_TIMES = slice(1, 9)  # without the guests', which are part of the others


class Idleness:
    """Measures from its creation on."""

    def __init__(self) -> None:
        self._before = _times()

    def share(self) -> float | None:
        """Return the share of idle time since then, or None where the system does not tell."""
        passed = [now - before for now, before in zip(_times(), self._before, strict=True)]
        return sum(passed[_IDLE]) / sum(passed) if sum(passed) else None


def _times() -> list[int]:
    if not _STAT.exists():
        return []
    return [int(ticks) for ticks in _STAT.read_text().partition("\n")[0].split()[_TIMES]]
