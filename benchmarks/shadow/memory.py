"""A read of a million rows: what the process that compares it needs for it."""

import json
from contextlib import ExitStack
from pathlib import Path

from benchmarks.progress import say
from benchmarks.shadow.clients import ask_once
from benchmarks.shadow.figures import Figures, UnsoundError
from benchmarks.shadow.reports import wait_until_compared
from benchmarks.shadow.stack import DATABASE, Stack, worker_process
from rollout.outcomes import Outcome

ROWS = 1_000_000
_FILL = "INSERT INTO shadow_bulk (text) SELECT 'Row ' || number FROM generate_series(1, %s) AS number"
_OPTIONS = json.dumps({"SHADOW_TIMEOUT_SECONDS": 60, "SHADOW_WAIT_SECONDS": 60})
_SMALL_READS = 10
_SMALL_SECONDS = 60.0
_BULK_SECONDS = 180.0


def run(stack: Stack) -> Figures:
    """Compare some small reads, then the large one."""
    stack.cluster.primary.query(_FILL, [ROWS], DATABASE)
    stack.settle()
    reports = stack.reports
    with ExitStack() as work:
        work.enter_context(stack.broker())
        work.enter_context(stack.worker("--pool=solo", SHADOW_READSHIFT=_OPTIONS))
        url = work.enter_context(stack.web())
        since = reports.last()
        errors = ask_once(url, ["counter"] * _SMALL_READS)
        wait_until_compared(reports, since, _SMALL_READS - errors.total(), _SMALL_SECONDS)
        pid = worker_process()
        forget_peak(pid)
        before, since = peak_memory_mb(pid), reports.last()
        errors += ask_once(url, ["bulk"])
        wait_until_compared(reports, since, 1, _BULK_SECONDS)
        after = peak_memory_mb(pid)
    (report,) = reports.read(since, "bulk")
    if report.outcome != Outcome.EQUAL or report.rows != ROWS:
        raise UnsoundError(f"The read of {ROWS} rows was not compared as equal: {report}")
    say("memory", f"{before:.1f} MB before, {after:.1f} MB after")
    return Figures(peak_memory_mb=after - before, http_errors=errors.total())


def forget_peak(pid: int) -> None:
    """Let the peak begin with what a process has in use now. What starting it took is not counted as room."""
    # See proc_pid_clear_refs(5).
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_memory_mb(pid: int) -> float:
    """Return the most memory that a process has had in use, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / 1024
