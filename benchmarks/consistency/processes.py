"""The web server and the worker of the measured project."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from demo.addresses import VARIABLE
from demo.cluster.processes import end, living

CHECKOUT = Path(__file__).resolve().parents[2]
APP = "benchmarks.consistency.app"
WEB = f"gunicorn {APP}.wsgi"
CELERY = f"celery --app={APP}"
_STOP_SECONDS = 15.0


class ProcessError(RuntimeError):
    """A process failed. The message says which, and shows the end of its log."""


def environment(system: str, addresses: Path) -> dict[str, str]:
    """Return the environment of every process that runs the project with this system."""
    own = {"DJANGO_SETTINGS_MODULE": f"{APP}.settings", "SYSTEM": system, VARIABLE: str(addresses)}
    return {**os.environ, **own}


def manage(arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run a management command to its end. Raises `ProcessError` when it fails."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "django", *arguments],
        cwd=CHECKOUT,
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProcessError(f"{' '.join(arguments)} failed.\n{done.stdout}{done.stderr}")


@contextmanager
def running(name: str, arguments: Sequence[str], variables: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run a module of Python's in the background. Raises `ProcessError` at the end when it did not live to see it."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", *arguments],
            cwd=CHECKOUT,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
        if process.poll() is not None:
            raise ProcessError(f"The {name} ended by itself. See {log}.")
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def end_left_behind(files: Path) -> None:
    """End what an earlier run of this checkout left running when it was killed, by its command line."""
    python = f"{sys.executable} -m"
    marks = (f"{python} {WEB}", f"{python} {CELERY}", f"{files / 'broker'}/")
    end(process.pid for process in living() if any(mark in process.command for mark in marks))
