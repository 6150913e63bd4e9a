"""One benchmark as a process of its own, which has a time limit, and whose last line is its result."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any, cast

from benchmarks.processes import CHECKOUT

_JUDGED = (0, 1)
"""The exit statuses of a benchmark that measured something: no bound was missed, or one was."""

_STOP_SECONDS = 60.0
"""For stopping the servers that it runs."""

_LISTEN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended. seconds: how long it took. figures: what it measured, if it did; else its last words."""

    seconds: float
    figures: Mapping[str, Any] | None
    last_words: str = ""


def run(command: Sequence[str], limit_seconds: float) -> Ending:
    """Run a command to its end, or end it at its limit. What it says on standard error is passed on meanwhile."""
    began = time.monotonic()
    with TemporaryFile("w+") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        words = _Words(cast("IO[str]", process.stderr))
        is_late = False
        try:
            process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            is_late = True
        finally:
            _end(process)
            # Servers that outlive a killed benchmark hold the pipe open.
            words.join(_LISTEN_SECONDS)
        seconds = time.monotonic() - began
        output.seek(0)
        figures = _result(output.read()) if process.returncode in _JUDGED and not is_late else None
    if figures is not None:
        return Ending(seconds, figures)
    how = f"ended at its limit of {limit_seconds:g} s" if is_late else f"exit status {process.returncode}"
    return Ending(seconds, None, f"{how}: {words.last or 'it said nothing'}")


class _Words(Thread):
    """Passes on what a process says, and keeps the last line of it."""

    def __init__(self, source: IO[str]) -> None:
        super().__init__(daemon=True)
        self.last = ""
        self._source = source
        self.start()

    def run(self) -> None:
        with self._source:
            for line in self._source:
                sys.stderr.write(line)
                sys.stderr.flush()
                self.last = line.strip() or self.last


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that has not ended by itself, with the time that it needs to stop what it has started."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _result(output: str) -> dict[str, Any] | None:
    """Return the last line of the output, or None when that is no result."""
    lines = output.splitlines()
    try:
        found = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
