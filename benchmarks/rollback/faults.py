"""What is done to one replica while the rollout goes on."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread

from demo.cluster import Server

APPLY_DELAY_SECONDS = 60.0
PROCESSOR_SHARE = 0.05
_TURN_SECONDS = 0.3
"""Short of what makes a replica's answers too slow to be fit: what users feel is to be found, not what probes do."""

Fault = Callable[[Server], AbstractContextManager[None]]


@contextmanager
def apply_delay(server: Server) -> Iterator[None]:
    """Have a replica apply every commit a minute late."""
    server.set_apply_delay(APPLY_DELAY_SECONDS)
    try:
        yield
    finally:
        server.set_apply_delay(0)


@contextmanager
def slow_processor(server: Server) -> Iterator[None]:
    """Let all processes of a replica run for a twentieth of the time only."""
    is_over = Event()

    def starve() -> None:
        while not is_over.is_set():
            server.hang()
            is_over.wait(_TURN_SECONDS * (1 - PROCESSOR_SHARE))
            server.resume()
            time.sleep(_TURN_SECONDS * PROCESSOR_SHARE)

    thread = Thread(target=starve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        server.resume()


FAULTS: Mapping[str, Fault] = {"apply_delay": apply_delay, "slow_processor": slow_processor}
