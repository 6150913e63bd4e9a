"""One fault after the other, until told to stop."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from threading import Event

from benchmarks.failover import faults
from benchmarks.failover.measures import Window
from benchmarks.failover.site import REPLICAS, Site

QUIET_SECONDS = 8.0
"""Between two faults: a replica that is well again serves after a few seconds."""

SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 15.0


def hold(site: Site, seconds: float) -> Window:
    """Hold a replica's replay for so long, which may be too short for anybody to care."""
    server = site.server(site.victim)
    with faults.lasting() as times:
        server.pause_replay()
        Event().wait(seconds)
        server.resume_replay()
    return Window(*times)


FAULTS: dict[str, faults.Fault] = {
    "kill": faults.kill,
    "hang": faults.hang,
    "blackhole": faults.black_hole,
    "restart": faults.restart,
    "slow": faults.slow,
    "hold": hold,
    "flap": faults.flap,
    "all_replicas_killed": faults.kill_all_replicas,
    "primary_killed": faults.kill_primary,
}


def torment(site: Site, seed: int, stopped: Event, say: Callable[[str], None]) -> Counter[str]:
    """Do faults to the site until stopped, and return how often each was done."""
    rng, done = Random(seed), Counter[str]()  # noqa: S311 - a schedule that can be repeated
    while not stopped.wait(QUIET_SECONDS):
        name, victim = rng.choice(sorted(FAULTS)), rng.choice(REPLICAS)
        seconds = rng.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
        say(f"{name} of {victim} for {seconds:.1f} s")
        FAULTS[name](replace(site, victim=victim), seconds)
        done[name] += 1
        site.settle()
    return done
