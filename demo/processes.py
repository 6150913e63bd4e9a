"""The demo's own processes: web, worker, scheduler."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.addresses import VARIABLE, Addresses
from demo.cluster.processes import end, living

CHECKOUT = Path(__file__).resolve().parent.parent
WEB = "gunicorn demo.wsgi"
CELERY = "celery --app=demo"
STOP_SECONDS = 15.0


class ProcessError(RuntimeError):
    """A process of the demo failed. The message says which, and shows the end of its log."""


def environment() -> dict[str, str]:
    """Return the environment of every process of the demo."""
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "demo.settings", VARIABLE: str(Addresses.file())}


def manage(*arguments: str, quiet: bool = False) -> None:
    """Run a management command to its end. Raises `ProcessError` when it fails."""
    output = subprocess.PIPE if quiet else None
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=environment(),
        stdout=output,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProcessError(f"manage.py {' '.join(arguments)} failed.\n{done.stdout or ''}")


def end_left_behind(files: Path) -> None:
    """End what a demo of this checkout left running when it was killed: whatever it started, by its command line."""
    python = f"{sys.executable} -m"
    marks = (f"{python} {WEB}", f"{python} {CELERY}", f"{files / 'broker'}/")
    end(process.pid for process in living() if any(mark in process.command for mark in marks))


class Process:
    """One long-running process in a session of its own, so that Ctrl-C reaches it only through `stop`."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self._arguments = [sys.executable, "-m", *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._arguments,
                cwd=CHECKOUT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def check(self) -> None:
        """Raise `ProcessError` when the process has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise ProcessError(f"The {self.name} ended by itself. The end of {self._log}:\n{self._end_of_log()}")

    def stop(self) -> None:
        """Ask the process to end, so that it writes its last counts; after a while, make it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _end_of_log(self, lines: int = 20) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
