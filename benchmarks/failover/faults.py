"""What is done to the servers. Each function does it, waits, undoes it, and returns when it lasted."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.failover.measures import Window
from benchmarks.failover.site import REPLICAS, Site
from demo.cluster import Server

LAG_SECONDS = 10.0
"""Readshift's default greatest lag: from then on, a replica that is behind is a fault."""

SLOW_SECONDS = 0.8
RESTART_SECONDS = 2.0
FLAPS = 4

Fault = Callable[[Site, float], Window]


def kill(site: Site, seconds: float) -> Window:
    """End a replica's processes, and start it again."""
    return _kill([site.server(site.victim)], seconds)


def kill_all_replicas(site: Site, seconds: float) -> Window:
    """End the processes of both replicas, and start them again."""
    return _kill([site.server(alias) for alias in REPLICAS], seconds)


def kill_primary(site: Site, seconds: float) -> Window:
    """End the primary's processes, and start it again. Nobody is promoted."""
    return _kill([site.cluster.primary], seconds)


def hang(site: Site, seconds: float) -> Window:
    """Stop a replica's processes from running, and let them go on."""
    server = site.server(site.victim)
    with lasting() as times:
        server.hang()
        time.sleep(seconds)
        server.resume()
    return Window(*times)


def black_hole(site: Site, seconds: float) -> Window:
    """Let the network swallow what goes to and comes from a replica, and deliver it afterwards."""
    with lasting() as times:
        site.black_hole(site.victim)
        time.sleep(seconds)
        site.restore(site.victim)
    return Window(*times)


def restart(site: Site, _: float) -> Window:
    """Restart a replica in mode "fast". It is away for `RESTART_SECONDS`, however long other faults last."""
    server = site.server(site.victim)
    with lasting() as times:
        begin = time.monotonic()
        server.stop("fast")
        time.sleep(max(0.0, begin + RESTART_SECONDS - time.monotonic()))
        server.start()
    return Window(*times)


def slow(site: Site, seconds: float) -> Window:
    """Let every answer of a replica come `SLOW_SECONDS` later."""
    with lasting() as times:
        site.delay(site.victim, SLOW_SECONDS)
        time.sleep(seconds)
        site.delay(site.victim, 0)
    return Window(*times)


def lag(site: Site, seconds: float) -> Window:
    """Hold a replica's replay. The fault begins when it is `LAG_SECONDS` behind, and lasts so long after that."""
    server = site.server(site.victim)
    server.pause_replay()
    time.sleep(LAG_SECONDS)
    with lasting() as times:
        time.sleep(seconds)
        server.resume_replay()
    return Window(*times)


def flap(site: Site, seconds: float) -> Window:
    """End a replica's processes and start it again, several times in a row."""
    server, half = site.server(site.victim), seconds / (2 * FLAPS)
    with lasting() as times:
        for number in range(FLAPS):
            if number:
                time.sleep(half)
            server.kill()
            time.sleep(half)
            server.start()
    return Window(*times)


def _kill(servers: Sequence[Server], seconds: float) -> Window:
    with lasting() as times, ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(Server.kill, servers))
        time.sleep(seconds)
        list(pool.map(Server.start, servers))
    return Window(*times)


@contextmanager
def lasting() -> Iterator[list[float]]:
    """Give a list that holds begin and end afterwards."""
    times = [time.monotonic()]
    yield times
    times.append(time.monotonic())
