"""What a process holds: a policy of many rules, and full counters. In a fresh process for each."""

import gc
import os
import tracemalloc
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.scale.project import Site, endpoint
from demo.cluster import Server

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

_START_SECONDS = 60.0
_KB_PER_MB = 1024

_context = get_context("spawn")


def measure(server: Server, site: Site, sizes: tuple[int, ...], series: int) -> dict[str, Any]:
    """Return the figures by number of rules, and those of so many counters. It deletes rules down to the least."""
    found = {}
    for size in sorted(sizes, reverse=True):
        server.query("DELETE FROM readshift_routingrule WHERE target >= %s", [endpoint(size)])
        found[str(size)] = _in_a_process(_policy, site, size)
    return {"by_rules": dict(reversed(found.items())), "counters": _in_a_process(_counters, site, series)}


def _in_a_process(work: Callable[[Site, int, "SimpleQueue[dict[str, Any]]"], None], site: Site, size: int) -> Any:
    told = _context.SimpleQueue()
    process = _context.Process(target=work, args=(site, size, told), daemon=True)
    process.start()
    try:
        return told.get()
    finally:
        process.join(_START_SECONDS)
        process.kill()


def _policy(site: Site, size: int, told: "SimpleQueue[dict[str, Any]]") -> None:
    site.configure()
    from rollout.loading import load_policy  # noqa: PLC0415 - they need settings
    from rollout.models import RoutingRule  # noqa: PLC0415

    RoutingRule.objects.exists()
    gc.collect()
    before = pss_mb()
    policy = load_policy("default")
    if len(policy.rules) != size:
        raise ValueError(f"{len(policy.rules)} rules were read, not {size}.")
    gc.collect()
    after = pss_mb()
    told.put(
        {
            "process_pss_mb": round(after, 1),
            "added_pss_mb": round(after - before, 2),
            "held_mb": round(_held_mb(lambda: load_policy("default")), 2),
        }
    )


def _counters(site: Site, size: int, told: "SimpleQueue[dict[str, Any]]") -> None:
    site.configure()
    from rollout.models import TallyKind  # noqa: PLC0415 - they need settings
    from rollout.reasons import Reason  # noqa: PLC0415
    from routers.meter import Meter  # noqa: PLC0415
    from routers.series import Series  # noqa: PLC0415

    def fill() -> Meter:
        meter = Meter()
        for number in range(size):
            meter.add(Series(TallyKind.READ, "default", "replica1", endpoint(number), "shop.Product", Reason.ROUTED))
        return meter

    told.put({"series": size, "held_mb": round(_held_mb(fill), 2)})


def _held_mb(make: Callable[[], object]) -> float:
    """Return the size of what this makes, by what Python allocated for it and has not freed."""
    tracemalloc.start()
    made = make()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del made
    return held / _KB_PER_MB**2


def pss_mb() -> float:
    """Return what this process has in use, shared pages by its share in them."""
    for line in Path(f"/proc/{os.getpid()}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / _KB_PER_MB
    return 0.0
