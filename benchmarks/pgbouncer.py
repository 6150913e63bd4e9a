"""A real PgBouncer in front of each server, for tests and benchmarks."""

import os
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen

from demo.cluster import Server
from demo.cluster.account import spawn
from demo.waiting import wait_until

_DEFAULTS = {
    "listen_addr": "127.0.0.1",
    "auth_type": "any",
    "pool_mode": "transaction",
    "unix_socket_dir": "",
    "default_pool_size": "5",
    # How long it refuses everybody after a server did not let it in. Its own default is 15 s.
    "server_login_retry": "0.2",
    "server_check_delay": "0",
}


def find_pgbouncer() -> Path | None:
    """Return the program, which Debian puts where only root looks for programs."""
    found = shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
    return Path(found) if found else None


@contextmanager
def pgbouncers(
    program: Path, servers: Iterable[Server], database: str, options: Mapping[str, str]
) -> Iterator[dict[str, int]]:
    """Run one PgBouncer for this database of each server, and give its port by the name of the server."""
    with ExitStack() as stack:
        yield {
            server.name: stack.enter_context(_running(program, server, database, {**_DEFAULTS, **options}))
            for server in servers
        }


@contextmanager
def _running(program: Path, server: Server, database: str, options: Mapping[str, str]) -> Iterator[int]:
    with socket.create_server((server.host, 0)) as held:
        port: int = held.getsockname()[1]
    # Where the account can read, and whence the cluster's next start removes what a killed run left behind.
    folder = server.data.parent
    file = folder / f"pgbouncer-{server.name}.ini"
    lines = [f"{name} = {value}" for name, value in {**options, "listen_port": port}.items()]
    target = f"{database} = host={server.host} port={server.port} user=postgres"
    file.write_text("\n".join(["[databases]", target, "[pgbouncer]", *lines, ""]))
    file.chmod(0o644)
    with (server.log.parent / f"pgbouncer-{server.name}.log").open("wb") as log:
        process = spawn([program, file], folder, log)
    try:
        wait_until(lambda: _listens(process, port), 20, f"the PgBouncer of {server.name} to listen")
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(process: Popen[bytes], port: int) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"PgBouncer ended with status {process.returncode}.")
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
