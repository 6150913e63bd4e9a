"""A benchmark as a process of its own, with real processes."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from benchmarks.children import run
from demo.waiting import wait_until

LIMIT_SECONDS = 30.0


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_last_line_is_the_result_and_the_rest_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    code = """
import sys
print('begins', file=sys.stderr)
print('{"figure": 1}')
print('{"figure": 2}')
"""
    ending = run(python(code), LIMIT_SECONDS)
    assert (ending.figures, ending.last_words) == ({"figure": 2}, "")
    assert ending.seconds > 0
    assert capsys.readouterr().err == "begins\n"


def test_a_missed_bound_leaves_figures() -> None:
    assert run(python("print('{\"figure\": 1}'); raise SystemExit(1)"), LIMIT_SECONDS).figures == {"figure": 1}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; print('failed: no server\\n', file=sys.stderr); sys.exit(2)", "exit status 2: failed: no server"),
        ("import sys; print('{}'); sys.exit(2)", "exit status 2: it said nothing"),
        ("raise KeyError('figure')", "exit status 1: KeyError: 'figure'"),
        ("print('no result')", "exit status 0: it said nothing"),
        ("print(1)", "exit status 0: it said nothing"),
        ("pass", "exit status 0: it said nothing"),
        ("import os; os.kill(os.getpid(), 9)", "exit status -9: it said nothing"),
    ],
)
def test_what_measured_nothing_leaves_its_last_words(code: str, words: str) -> None:
    ending = run(python(code), LIMIT_SECONDS)
    assert (ending.figures, ending.last_words) == (None, words)


def test_one_that_takes_too_long_may_stop_what_it_has_started(tmp_path: Path) -> None:
    mark = tmp_path / "stopped"
    code = f"""
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path({str(mark)!r}).touch()
    print('{{"figure": 1}}')
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print('waits', file=sys.stderr, flush=True)
time.sleep(60)
"""
    ending = run(python(code), 1.5)
    assert mark.exists()
    assert (ending.figures, ending.last_words) == (None, "ended at its limit of 1.5 s: waits")


def test_one_that_does_not_stop_is_killed_with_all_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.children._STOP_SECONDS", 0.2)
    file = tmp_path / "pid"
    code = f"""
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
pathlib.Path({str(file)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    began = time.monotonic()
    assert run(python(code), 1.5).figures is None
    assert time.monotonic() < began + 30
    wait_until(lambda: not _lives(int(file.read_text())), 10, "the process that it had started to end")


def _lives(pid: int) -> bool:
    """Say whether a process runs. One that has ended stays until whoever adopted it looks."""
    try:
        os.kill(pid, signal.SIG_DFL)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
