"""A primary and its replicas, from an empty folder to streaming, and away again."""

import atexit
import os
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from demo.cluster.account import server_account
from demo.cluster.binaries import find_binaries
from demo.cluster.configuration import DEFAULTS
from demo.cluster.errors import ClusterError, PortTakenError
from demo.cluster.folders import check_reach, claim_folder
from demo.cluster.lock import Lock
from demo.cluster.processes import end_servers_below, release_shared_memory
from demo.cluster.server import Server

_PORT_ATTEMPTS = 5
_STOP_SECONDS = 8.0  # The postmaster itself kills after 5 what does not obey "immediate".


class Cluster:
    """One primary and `replicas` streaming replicas with a replication slot each, whose files lie in `root`.

    Every start begins with empty databases: what an earlier cluster left in `root`, running servers included, is
    removed first. Stopping removes the data and leaves the logs. While it runs, `root` is locked for other owners.

    `ports` are those of the primary and of each replica, in this order; free ones by default. `settings` are added to
    those in `configuration.DEFAULTS`, for every server.

    Raises `ClusterError` when there is no usable PostgreSQL (see `find_binaries`) or the numbers do not match.
    """

    def __init__(
        self,
        root: Path,
        *,
        replicas: int = 2,
        ports: Sequence[int] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        names = ["primary", *(f"replica{number}" for number in range(1, replicas + 1))]
        if ports is not None and len(ports) != len(names):
            raise ClusterError(f"{len(ports)} ports were given for {len(names)} servers: {', '.join(names)}.")
        # Without symlinks, because leftover processes are recognised by this path.
        self.root = root.parent.resolve() / root.name
        self._lock = Lock(self.root / "cluster.lock")
        self._may_change_ports = ports is None
        binaries = find_binaries()
        self.servers = tuple(
            Server(name, port, root=self.root, binaries=binaries, settings={**DEFAULTS, **(settings or {})})
            for name, port in zip(names, ports or _free_ports(len(names)), strict=True)
        )

    @property
    def primary(self) -> Server:
        """The server that was created as the primary; a promotion does not change that."""
        return self.servers[0]

    @property
    def replicas(self) -> tuple[Server, ...]:
        """The servers that were created as replicas."""
        return self.servers[1:]

    def server(self, name: str) -> Server:
        """Return the server called `name`: "primary", "replica1" and so on. Raises `ClusterError` for another name."""
        for server in self.servers:
            if server.name == name:
                return server
        names = ", ".join(server.name for server in self.servers)
        raise ClusterError(f"This cluster has no server {name!r}. It has {names}.")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Build the cluster and return when all replicas stream. It is stopped at the latest when the process exits.

        Raises `ClusterError` when another owner uses `root`, when `root` holds anything that is not a cluster's, when a
        prescribed port is taken, or when PostgreSQL fails; then nothing is left running.
        """
        self._claim()
        atexit.register(self.stop)
        try:
            self._clear()
            self._build()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all servers and remove their data. Repeated calls, and calls in a forked child, do nothing."""
        if not self._lock.is_held:
            return
        with ExitStack() as stack:
            stack.callback(atexit.unregister, self.stop)
            stack.callback(self._lock.release)
            stack.callback(self._clear)
            for server in self.servers:
                try:
                    # The data goes anyway, so nothing is worth waiting for.
                    server.stop("immediate", timeout=_STOP_SECONDS)
                except TimeoutError:
                    server.kill()

    def wait_for_replay(self, timeout: float = 10.0) -> None:
        """Return when every replica shows all that was committed on the primary before this call.

        Replicas that are down, hang, are paused or were promoted are not waited for. `timeout` is in seconds, for all
        together; `TimeoutError` names the replica, the position it should have reached and the one it has.
        """
        deadline = time.monotonic() + timeout
        position = self.primary.commit_position()
        for replica in self.replicas:
            if replica.is_running and not replica.is_hung:
                replica.wait_for_position(position, max(0.0, deadline - time.monotonic()))

    def _claim(self) -> None:
        if self._lock.is_held:
            raise ClusterError(f"The cluster in {self.root} already runs. Stop it first.")
        if self.root.is_dir() and any(self.root.iterdir()) and not self._lock.path.exists():
            raise ClusterError(f"{self.root} holds files that are not a cluster's. Choose an empty or a new folder.")
        claim_folder(self.root)
        self._lock.acquire()

    def _clear(self) -> None:
        servers = self.root / "servers"
        end_servers_below(servers)
        for note in servers.glob("*/postmaster.pid"):
            release_shared_memory(note.parent)
        if servers.exists():
            shutil.rmtree(servers)

    def _build(self) -> None:
        shutil.rmtree(self.root / "logs", ignore_errors=True)
        (self.root / "logs").mkdir()
        claim_folder(self.root / "servers")
        check_reach(self.root / "servers")
        for server in self.servers:
            _make_data_folder(server.data)
        self.primary.create()
        self._launch(self.primary)
        # A new database is a copy of template1.
        for database in ("template1", "postgres"):
            _install_statistics(self.primary, database)
        with ThreadPoolExecutor(max_workers=max(1, len(self.replicas))) as pool:
            list(pool.map(self._add, self.replicas))

    def _add(self, replica: Server) -> None:
        replica.clone(self.primary)
        self._launch(replica)
        replica.wait_until_streaming()

    def _launch(self, server: Server) -> None:
        for _ in range(_PORT_ATTEMPTS - 1):
            try:
                server.start()
            except PortTakenError:
                if not self._may_change_ports:
                    raise
                (server.port,) = _free_ports(1)
            else:
                return
        server.start()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        # All are held until the last is chosen, so that they differ.
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((Server.host, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _make_data_folder(path: Path) -> None:
    path.mkdir(mode=0o700)
    if account := server_account():
        os.chown(path, account.uid, account.gid)


def _install_statistics(primary: Server, database: str) -> None:
    try:
        primary.query("CREATE EXTENSION pg_stat_statements", dbname=database)
    except psycopg.errors.FeatureNotSupported as error:
        raise ClusterError(
            f"The PostgreSQL in {primary.binaries} has no extension pg_stat_statements. Install its contrib package, "
            "or set READSHIFT_PG_BIN to the bin folder of a server that has it."
        ) from error
