"""How many instructions a process needs, counted by Valgrind: times are noisy, these are nearly the same each time.

Only the thread that serves requests is counted, and only while it measures: threads of the background, and all that a
block needs whatever its length, are left out.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.overhead.blocks import Block, What
from benchmarks.overhead.content import REPLICA, RULES
from benchmarks.overhead.crew import Worker
from benchmarks.overhead.installing import COMPARED
from benchmarks.overhead.stack import CREW, FILES, Stack, own
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.systems import OWN

COUNTED = (*COMPARED, own(max(RULES)))
_LENGTHS: Mapping[What, tuple[int, int]] = {
    What.DECISION: (10, 110),
    What.FIRST: (5, 25),
    What.READ: (5, 45),
    What.REQUEST: (5, 45),
}
"""What is counted, and the lengths of two blocks whose difference is."""
# With one seed, sets and dictionaries are laid out alike each time.
_SEED = ("env", "PYTHONHASHSEED=0")
_VALGRIND = (*_SEED, "valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes")
_TRIES = 5
_TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)
_FIRST_THREAD = "01"


def can_count() -> bool:
    """Say whether Valgrind is installed."""
    return shutil.which("valgrind") is not None and shutil.which("callgrind_control") is not None


def count_instructions(stack: Stack) -> dict[str, dict[str, int | None]]:
    """Return the instructions of each kind of repetition in each system; None where Readshift did not route."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(COUNTED, pool.map(lambda name: _count(stack, name), COUNTED), strict=True))
    return {what.value: {name: counts[name][what] for name in COUNTED} for what in _LENGTHS}


def _count(stack: Stack, name: str) -> dict[What, int | None]:
    output = FILES / f"callgrind-{name}"
    command = (*_VALGRIND, f"--callgrind-out-file={output}")
    with stack.crew({name: CREW[name]}, command) as crew:
        counter = _Counter(crew[name], output)
        counts = {what: counter.count(Block(what), must_route=CREW[name][0] == OWN) for what in _LENGTHS}
    say(name, f"instructions: {json.dumps(counts)}")
    return counts


class _Counter:
    """Counts what one process does. output: the files that Valgrind writes, apart from their endings."""

    def __init__(self, worker: Worker, output: Path) -> None:
        self._worker = worker
        self._output = output
        self._dumps = 0
        self._control("--instr=on")

    def count(self, block: Block, *, must_route: bool) -> int | None:
        """Return the instructions of one repetition, or None where it was not answered as it must be."""
        short, long = _LENGTHS[block.what]
        # What it needs is loaded, and everything that this changes has settled.
        self._worker.measure(block, short)
        for _ in range(_TRIES):
            few, many = self._of(block, short), self._of(block, long)
            if not must_route or (few[1] and many[1]):
                return round((many[0] - few[0]) / (long - short))
        return None

    def _of(self, block: Block, times: int) -> tuple[int, bool]:
        """Return the instructions of a block, and whether it was answered by the replica alone."""
        self._control("--zero")
        answer = self._worker.measure(block, times)
        self._control("--dump")
        self._dumps += 1
        text = Path(f"{self._output}.{self._dumps}-{_FIRST_THREAD}").read_text()
        total = _TOTAL.search(text)
        if total is None:
            raise ProcessError(f"Valgrind has written no total into {self._output}.{self._dumps}-{_FIRST_THREAD}.")
        return int(total[1]), answer.aliases <= {REPLICA}

    def _control(self, option: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own command
            ["callgrind_control", option, str(self._worker.pid)],  # noqa: S607 - found by `can_count`
            capture_output=True,
            text=True,
            check=False,
        )
        if "OK." not in done.stdout:
            raise ProcessError(f"callgrind_control {option} failed.\n{done.stdout}{done.stderr}")
