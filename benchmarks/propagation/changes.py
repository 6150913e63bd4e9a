"""The changes that are made: a flag that opens for everybody and closes again."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.processes import CHECKOUT, ProcessError

FLAG = "propagation"
_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the flag, in seconds of the servers' clock.

    percent: for whom it is on now, 0 or 100. committed: when it was committed. acknowledged: when each process told
    that it acts on it. text: what the operator was told.
    """

    percent: int
    committed: float
    acknowledged: Mapping[int, float]
    text: str = ""

    @property
    def closes(self) -> bool:
        return self.percent == 0


class Operator:
    """A process of its own that changes the flag through the ORM."""

    def __init__(self, process: subprocess.Popen[str], orders: IO[str], answers: IO[str]) -> None:
        self._process, self._orders, self._answers = process, orders, answers

    def change(self, percent: int) -> Change:
        """Set the flag, wait until every process acts on it, and return what happened. Raises `ProcessError`."""
        self._orders.write(f"{percent}\n")
        self._orders.flush()
        line = self._answers.readline()
        if not line:
            raise ProcessError(f"The operator's process ended with status {self._process.wait()}.")
        told = json.loads(line)
        acknowledged = {int(pid): at for pid, at in told["acknowledged"].items()}
        return Change(percent, told["committed"], acknowledged, told["text"])


@contextmanager
def operating(variables: Mapping[str, str], log: Path) -> Iterator[Operator]:
    """Run the operator's process."""
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "django", "change_flag"],
            cwd=CHECKOUT,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        if process.stdin is None or process.stdout is None:
            raise ProcessError("The operator's process has no pipes.")
        try:
            yield Operator(process, process.stdin, process.stdout)
        finally:
            process.stdin.close()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
