"""The processes of a measured project: web server, worker, management commands."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.addresses import VARIABLE
from demo.cluster.processes import end, living

CHECKOUT = Path(__file__).resolve().parents[1]
_STOP_SECONDS = 15.0


class ProcessError(RuntimeError):
    """A process failed. The message says which, and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Project:
    """A Django project that is measured: the package that holds it, and the folder for what its processes write."""

    package: str
    files: Path

    @property
    def web(self) -> str:
        """What Python runs as its web server, apart from the options."""
        return f"gunicorn {self.package}.wsgi"

    @property
    def celery(self) -> str:
        """What Python runs for its worker, apart from the options."""
        return f"celery --app={self.package}"

    def environment(self, system: str, addresses: Path) -> dict[str, str]:
        """Return the environment of every process that runs the project with this system."""
        own = {"DJANGO_SETTINGS_MODULE": f"{self.package}.settings", "SYSTEM": system, VARIABLE: str(addresses)}
        return {**os.environ, **own}

    def web_server(self, port: int, workers: int, threads: int) -> list[str]:
        """Return what Python runs as the web server, for `running`."""
        load = [f"--bind=127.0.0.1:{port}", f"--workers={workers}", f"--threads={threads}"]
        # Kept for longer than any client is idle, so that no request meets a connection that is just being closed.
        return [*self.web.split(), *load, "--keep-alive=75", "--no-control-socket"]

    def end_left_behind(self) -> None:
        """End what an earlier run of this checkout left running when it was killed, by its command line."""
        python = f"{sys.executable} -m"
        marks = (f"{python} {self.web}", f"{python} {self.celery}", f"{self.files / 'broker'}/")
        end(process.pid for process in living() if any(mark in process.command for mark in marks))


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


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
