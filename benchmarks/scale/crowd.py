"""Processes that do the same thing at the same time, and what the primary spends on it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.probing.askers import context
from benchmarks.scale.primary import Spent, spending
from benchmarks.scale.project import Site
from demo.cluster import Server

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Barrier

_LONGEST_SECONDS = 120.0

Work = Callable[[], object]
Prepare = Callable[..., Work]


def together(server: Server, site: Site, count: int, prepare: Prepare, *arguments: object) -> tuple[list[Any], Spent]:
    """Have so many processes work, and return what each of them returned and what the primary spent until the last had.

    prepare: called in each process with its number and the arguments, returns the work. It leaves a connection open.
    """
    gate, ended = context.Barrier(count + 1), context.SimpleQueue()
    processes = [
        context.Process(target=_live, args=(site, gate, ended, prepare, (number, *arguments)), daemon=True)
        for number in range(count)
    ]
    for process in processes:
        process.start()
    try:
        gate.wait(_LONGEST_SECONDS)
        with spending(server) as spent:
            gate.wait(_LONGEST_SECONDS)
            found = [ended.get() for _ in processes]
        gate.wait(_LONGEST_SECONDS)
    finally:
        for process in processes:
            process.join(1.0)
            process.kill()
    return found, spent


def _live(
    site: Site, gate: "Barrier", ended: "SimpleQueue[Any]", prepare: Prepare, arguments: tuple[object, ...]
) -> None:
    site.configure()
    work = prepare(*arguments)
    # The first time all are ready, and the primary's processor time is read; the second time they begin.
    gate.wait(_LONGEST_SECONDS)
    gate.wait(_LONGEST_SECONDS)
    ended.put(work())
    # The connection is open until the primary's processor time was read again.
    gate.wait(_LONGEST_SECONDS)
