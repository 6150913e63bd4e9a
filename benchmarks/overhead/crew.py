"""The processes that measure, one for each system, and what is asked of them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.overhead.blocks import Answer, Block
from benchmarks.processes import CHECKOUT, ProcessError

_STOP_SECONDS = 15.0


class Worker:
    """A process with one system."""

    def __init__(self, name: str, process: "subprocess.Popen[str]", log: Path) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._log = log

    def begin(self, session: str) -> None:
        """Have it ask as the client with this session from now on."""
        self._ask({"session": session})

    def settle(self) -> None:
        """Have it leave what it has loaded out of its garbage collections, and serve requests on one processor alone.

        It is the same one for all workers, of which one is at work at a time.
        """
        self._ask({"freeze": True})
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.pid, {max(os.sched_getaffinity(0))})

    def measure(self, block: Block, times: int) -> Answer:
        """Measure one block. Raises `ProcessError` when the process fails."""
        answer = self._ask({"what": block.what, "times": times, "is_async": block.is_async})
        return Answer(answer["nanoseconds"], frozenset(answer["aliases"]), answer["cpu"])

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        reader, writer = self._process.stdout, self._process.stdin
        if reader is None or writer is None:
            raise ProcessError(f"The process of {self.name} has no pipes.")
        try:
            writer.write(json.dumps(question) + "\n")
            writer.flush()
            line = reader.readline()
        except OSError as error:
            raise ProcessError(f"The process of {self.name} ended: {error}. See {self._log}.") from error
        if not line:
            raise ProcessError(f"The process of {self.name} ended. See {self._log}.")
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def employed(name: str, variables: Mapping[str, str], log: Path, prefix: Sequence[str] = ()) -> Iterator[Worker]:
    """Run a worker. prefix: what Python runs under."""
    with ExitStack() as stack, log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*prefix, sys.executable, "-m", "benchmarks.overhead.worker"],
            cwd=CHECKOUT,
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        stack.callback(_end, process)
        yield Worker(name, process, log)


def _end(process: "subprocess.Popen[str]") -> None:
    # It ends by itself when there is nothing more to read.
    process.communicate()
    process.wait(_STOP_SECONDS)
