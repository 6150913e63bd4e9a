"""What a process and the primary spend when a policy is read, for several numbers of rules."""

import time
from statistics import median
from typing import Any

from benchmarks.scale.crowd import Work, together
from benchmarks.scale.primary import bytes_received, spending
from benchmarks.scale.project import Site, add_rules
from demo.cluster import Server

SIZES = (10, 1_000, 10_000)
AT_ONCE = 4
_TURNS = 5


def measure(server: Server, site: Site) -> dict[str, Any]:
    """Return the figures by number of rules, and those of several processes that read the largest at the same time."""
    found: dict[str, Any] = {}
    for size in SIZES:
        add_rules(size)
        server.query("ANALYZE")
        found[str(size)] = _alone(server)
    found["kill_switch"] = _kill_switch(server)
    found["at_once"] = _together(server, site)
    return found


def _alone(server: Server) -> dict[str, Any]:
    from django.db import connection  # noqa: PLC0415 - they need settings

    from rollout.loading import load_policy  # noqa: PLC0415

    load_policy("default")
    own, theirs, received = [], [], bytes_received(connection.connection)
    for _ in range(_TURNS):
        with spending(server) as spent:
            began = time.thread_time()
            load_policy("default")
            own.append(1000 * (time.thread_time() - began))
        theirs.append(spent.cpu_ms)
    return {
        "process_cpu_ms": round(median(own), 2),
        "primary_cpu_ms": round(median(theirs), 2),
        "kilobytes": round((bytes_received(connection.connection) - received) / _TURNS / 1000, 1),
    }


def _kill_switch(server: Server) -> dict[str, Any]:
    from rollout.loading import is_kill_switch_on, read_revision  # noqa: PLC0415 - it needs settings

    turns = 20 * _TURNS
    with spending(server) as spent:
        began = time.thread_time()
        for _ in range(turns):
            read_revision("default")
            is_kill_switch_on("default")
        own = time.thread_time() - began
    return {"process_cpu_ms": round(1000 * own / turns, 3), "primary_cpu_ms": round(spent.cpu_ms / turns, 3)}


def _together(server: Server, site: Site) -> dict[str, Any]:
    took, spent = together(server, site, AT_ONCE, _loads)
    return {
        "processes": AT_ONCE,
        "rules": SIZES[-1],
        "longest_seconds": round(max(took), 3),
        "primary_cpu_ms_each": round(spent.cpu_ms / AT_ONCE, 2),
    }


def _loads(_number: int) -> Work:
    from rollout.loading import load_policy  # noqa: PLC0415 - it needs settings

    load_policy("default")

    def load() -> float:
        began = time.monotonic()
        load_policy("default")
        return time.monotonic() - began

    return load
