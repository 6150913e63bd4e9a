"""How a benchmark ends: with what it measured, or with word of why not; and with an exit status."""

import signal
from collections.abc import Callable, Iterable
from typing import TypeVar

from benchmarks.progress import say

Found = TypeVar("Found")

FAILED = 2
"""The exit status of a run that measured nothing."""


def attempt(measure: Callable[[], Found], *failures: type[Exception]) -> Found | None:
    """Measure, and return what was found. Returns None, having said why, after one of these errors or when stopped."""
    # A terminated run stops its servers like one that is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return measure()
    except failures as error:
        say("failed", str(error) or type(error).__name__)
    except KeyboardInterrupt:
        say("stopped", "nothing was measured")
    return None


def status(name: str, missed: Iterable[str]) -> int:
    """Tell each bound that was missed, and return the exit status."""
    found = tuple(missed)
    for bound in found:
        say(name, f"missed: {bound}")
    return 1 if found else 0
