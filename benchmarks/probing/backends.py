"""What the backends of a server take, from /proc."""

from collections.abc import Sequence
from pathlib import Path

from demo.cluster import Server

_NANOSECONDS_PER_MS = 1_000_000
_KB_PER_MB = 1024

# Backends whose last statement was a probe's.
_PROBED = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_control_system%' AND pid <> pg_backend_pid()"


def probed(server: Server) -> list[int]:
    """Return the processes that answer probes."""
    return [pid for (pid,) in server.query(_PROBED)]


def cpu_ms(pids: Sequence[int]) -> float:
    """Return how much processor time these processes have taken so far."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / _NANOSECONDS_PER_MS


def memory_mb(pids: Sequence[int]) -> float:
    """Return how much memory one of these processes takes on average, shared pages by its share in them."""
    return sum(map(_pss_kb, pids)) / len(pids) / _KB_PER_MB


def _pss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
