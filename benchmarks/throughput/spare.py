"""The time of the processors that nobody needs: it is used up, so that a processor is worth the same all the time.

Two processors often share what they compute with, and sleep when they may. So a server gets more done in its share
while the other processor is idle, as it is while one server keeps all clients waiting, than while clients are busy.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.idle import Idleness
from benchmarks.shares import Group, spared

# It ends with whoever began it, also when that one was killed.
_SPIN = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(100_000):
        pass
"""


class Spare:
    """Measures from its creation on how much of the machine's time was left over. group: what uses it up, if any."""

    def __init__(self, group: Group | None) -> None:
        self._group, self._idleness = group, Idleness()
        self._begun, self._before = time.monotonic(), group.used_seconds() if group else 0.0

    def share(self) -> float | None:
        """Return the share since then, or None where the system does not tell."""
        idle = self._idleness.share()
        if self._group is None or idle is None:
            return idle
        seconds = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        return idle + (self._group.used_seconds() - self._before) / seconds


@contextmanager
def used_up() -> Iterator[Group]:
    """Use up what is left over, by one process for each processor. Raises `NotAllowedError` as groups do."""
    with ExitStack() as stack:
        processes = [stack.enter_context(_spinning()) for _ in range(os.cpu_count() or 1)]
        yield stack.enter_context(spared("spare", [process.pid for process in processes]))


@contextmanager
def _spinning() -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", _SPIN, str(os.getpid())]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:  # noqa: S603 - ours
        try:
            yield process
        finally:
            process.kill()
