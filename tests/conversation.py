"""Processes of their own that tests talk to, line by line."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any


class Conversation:
    """The other end of a process that answers each line which it reads with one of JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin: IO[str] = process.stdin
        self._stdout: IO[str] = process.stdout
        self.pid = process.pid

    def ask(self, line: str = "") -> dict[str, Any]:
        self._stdin.write(f"{line}\n")
        self._stdin.flush()
        answer: dict[str, Any] = json.loads(self._stdout.readline())
        return answer


@contextmanager
def talking(code: str) -> Iterator[subprocess.Popen[str]]:
    """Run this code with the suite's settings. At the end of its input it must end well, unless it was killed."""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    ) as process:
        yield process
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        assert process.wait(timeout=30) in {0, -signal.SIGKILL}
