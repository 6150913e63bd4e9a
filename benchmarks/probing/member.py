"""One process of the simulation: a prober in shared mode, and what it makes of the replicas."""

import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from benchmarks.probing.project import ALIASES, Addresses

PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process saw since it last said so. Seconds are those from when both replicas had been fit once."""

    leads: bool
    is_fit: bool
    seconds: float
    unfit_seconds: float
    longest_stall: float


def live(addresses: Addresses, told: Connection) -> None:
    """Probe, and say what it sees whenever it begins or ceases to lead or to find both fit, and every second."""
    addresses.configure({"PROBING": "shared", "POLICY_REFRESH": "background"})
    from routers.prober import prober  # noqa: PLC0415 - they need settings
    from routers.replicas import replicas  # noqa: PLC0415

    prober.start()
    leads = said_fit = was_fit = False
    seconds = unfit = stall = 0.0
    said_at = before = time.monotonic()
    while True:
        time.sleep(PAUSE_SECONDS)
        now = time.monotonic()
        is_fit = all(map(replicas.is_fit, ALIASES[1:]))
        if was_fit:
            seconds += now - before
            unfit += 0.0 if is_fit else now - before
            stall = max(stall, now - before)
        was_fit = was_fit or is_fit
        before = now
        if prober.is_leading() != leads or is_fit != said_fit or now - said_at > 1:
            leads, said_fit = prober.is_leading(), is_fit
            told.send(Seen(leads, is_fit, seconds, unfit, stall))
            said_at, seconds, unfit = now, 0.0, 0.0
