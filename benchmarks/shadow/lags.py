"""Standbys that are behind by a time that keeps changing."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Event

from demo.cluster import Server

DELAYS_SECONDS = (0.0, 0.0, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0)
_PERIOD_SECONDS = 3.0
_PAUSE_SECONDS = 0.7


@contextmanager
def changing_lags(replicas: Sequence[Server], seed: int) -> Iterator[None]:
    """Give one standby after the other another delay, or hold its replay for a moment, as long as this block."""
    stopped = Event()

    def change() -> None:
        dice = Random(seed)  # noqa: S311 - a schedule that can be repeated
        while not stopped.wait(_PERIOD_SECONDS / len(replicas)):
            replica = dice.choice(replicas)
            if dice.random() < 1 / 3:
                replica.pause_replay()
                stopped.wait(_PAUSE_SECONDS)
                replica.resume_replay()
            else:
                replica.set_apply_delay(dice.choice(DELAYS_SECONDS))

    with ThreadPoolExecutor(1) as pool:
        changes = pool.submit(change)
        try:
            yield
        finally:
            stopped.set()
    changes.result()
