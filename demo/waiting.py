"""Waiting for a condition instead of sleeping for a guessed time."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

POLL_SECONDS = 0.015


def wait_until(condition: Callable[[], Answer], timeout: float, what: str) -> Answer:
    """Call `condition` until its answer is true, and return that answer.

    `timeout` is in seconds; the condition is asked at least once, also with a timeout of 0. `what` completes the
    sentence "Waited 5 s for ...".

    Raises `TimeoutError` with that sentence. What the condition itself raises is passed on.
    """
    deadline = time.monotonic() + timeout
    while True:
        # Read before the question, so that a slow question still gets its answer counted.
        is_last = time.monotonic() >= deadline
        if answer := condition():
            return answer
        if is_last:
            raise TimeoutError(f"Waited {timeout:g} s for {what}.")
        time.sleep(POLL_SECONDS)
