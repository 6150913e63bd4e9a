"""The processes of one PostgreSQL server: how they start, stop, die and hang."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from demo.cluster import configuration
from demo.cluster.account import spawn
from demo.cluster.errors import ClusterError, PortTakenError
from demo.cluster.processes import children, end, release_shared_memory, send
from demo.waiting import wait_until

_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_LOG_LINES = 12


class Postmaster:
    """One server as a tree of processes over a data folder. `name`, `port` and the paths say which."""

    host = "127.0.0.1"

    def __init__(self, name: str, port: int, *, root: Path, binaries: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self.port = port
        self.binaries = binaries
        self.data = root / "servers" / name
        self.log = root / "logs" / f"{name}.log"
        self.settings = dict(settings)
        self._configuration = root / "servers" / f"{name}.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self._is_hung = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} port={self.port} pid={self.pid}>"

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster, or None when it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def is_running(self) -> bool:
        """Whether the postmaster lives. A server that hangs lives, too."""
        return self.pid is not None

    @property
    def is_hung(self) -> bool:
        """Whether the server was made to hang and has not been resumed."""
        return self.is_running and self._is_hung

    def start(self, settings: Mapping[str, str] | None = None, *, timeout: float = 30.0) -> Self:
        """Start the server and return when it accepts connections.

        `settings` are added to those it has, now and for later starts. `timeout` is in seconds.

        Raises `ClusterError` with the end of its log when it does not come up or already runs, `PortTakenError` when
        another process has its port, and `TimeoutError`, after which the server is stopped.
        """
        if self.is_running:
            raise ClusterError(f"{self.name} already runs as process {self.pid}. Stop it first, or call restart().")
        self.settings |= settings or {}
        own = {"port": str(self.port), "cluster_name": self.name}
        # Not as options of the command line: those would win over ALTER SYSTEM.
        self._configuration.write_text(configuration.render(self.settings | own))
        self._configuration.chmod(0o644)
        with self.log.open("ab") as log:
            begin = log.tell()
            command: list[str | Path] = [
                self.binaries / "postgres",
                "-D",
                self.data,
                "-c",
                f"config_file={self._configuration}",
            ]
            self._process = spawn(command, self.data.parent, log)
        self._is_hung = False
        try:
            wait_until(lambda: self._is_ready(begin), timeout, f"{self.name} to accept connections, see {self.log}")
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self, mode: Literal["fast", "immediate"] = "fast", *, timeout: float = 30.0) -> None:
        """Stop the server; one that does not run stays as it is.

        "fast" ends connections, lets replicas receive the rest, and writes a checkpoint. "immediate" does none of that,
        so that the next start recovers. Raises `TimeoutError` when it takes longer than `timeout` seconds.
        """
        if self._process is None or (pid := self.pid) is None:
            return
        send([pid], _SIGNALS[mode])
        self.resume()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"{self.name} (process {pid}) did not stop in {timeout:g} s in mode {mode!r}, see {self.log}. "
                "A primary waits for its replicas in mode 'fast'. Call kill() to end it at once."
            ) from None

    def restart(self, settings: Mapping[str, str] | None = None) -> Self:
        """Stop the server if it runs and start it again, with further settings if given. Raises as these two do."""
        self.stop()
        return self.start(settings)

    def kill(self) -> None:
        """End all processes of the server at once, as a crash of its machine would; one that is dead stays dead."""
        if self._process is None or (pid := self.pid) is None:
            return
        # Stopped first, so that it neither notices its children's death nor forks another one.
        send([pid], signal.SIGSTOP)
        victims = [pid, *children(pid)]
        send(victims, signal.SIGKILL)
        self._process.wait()
        end(victims)
        release_shared_memory(self.data)

    def hang(self) -> None:
        """Stop all processes from running without ending them: connections stay open, and nothing answers."""
        if (pid := self.pid) is None:
            raise ClusterError(f"{self.name} does not run, so it cannot hang. Call start() first.")
        send([pid], signal.SIGSTOP)
        send(children(pid), signal.SIGSTOP)
        self._is_hung = True

    def resume(self) -> None:
        """Let a server that hangs go on; one that does not hang stays as it is."""
        if (pid := self.pid) is not None:
            send([*children(pid), pid], signal.SIGCONT)
        self._is_hung = False

    def _is_ready(self, begin: int) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise self._failure(begin)
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        # The file may be left over from a server that was killed, and its status line is written last.
        return lines[0] == str(self.pid) and [line.strip() for line in lines[7:8]] == ["ready"]

    def _failure(self, begin: int) -> ClusterError:
        """Explain why the server ended while it started. `begin` is where this start begins in the log, in bytes."""
        with self.log.open("rb") as log:
            log.seek(begin)
            lines = log.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
        log_end = "\n".join(["", *lines])
        if "Address already in use" in log_end:
            return PortTakenError(
                f"{self.name} cannot listen on port {self.port}: another process does. Choose another."
            )
        if 'could not access file "pg_stat_statements"' in log_end:
            return ClusterError(
                f"The PostgreSQL in {self.binaries} has no pg_stat_statements. Install its contrib package, or set "
                "READSHIFT_PG_BIN to the bin folder of a server that has it."
            )
        return ClusterError(f"{self.name} ended while it started. Its log {self.log} ends with:{log_end}")
