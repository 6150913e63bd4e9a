"""Everything that the demo runs: databases, broker, web, worker, scheduler."""

import http.client
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from demo.addresses import Addresses
from demo.broker import running_broker
from demo.clock import clock_stopped_at
from demo.cluster import Cluster, default_root
from demo.processes import CELERY, WEB, Process, end_left_behind, manage
from demo.waiting import wait_until

DATABASE = "readshift_demo"
PREFERRED_PORT = 8000
WEB_WORKERS = 2
WEB_THREADS = 4
KEEP_ALIVE_SECONDS = 75
"""Longer than a visitor thinks: a connection that closes under a request would count as the shop's error."""

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seed:
    """How much the shop holds."""

    products: int = 20_000
    reviews: int = 40_000
    users: int = 500
    orders: int = 8_000

    def arguments(self) -> list[str]:
        return [
            word
            for name in ("products", "reviews", "users", "orders")
            for word in (f"--{name}", str(getattr(self, name)))
        ]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running demo."""

    url: str
    cluster: Cluster
    processes: tuple[Process, ...]
    logs: Path

    @property
    def is_answering(self) -> bool:
        """Whether the shop answers. Raises `ProcessError` when it never will."""
        self.check()
        return _answers(urlsplit(self.url).port or 0)

    def check(self) -> None:
        """Raise `ProcessError` when a process has ended by itself."""
        for process in self.processes:
            process.check()


@contextmanager
def running_stack(
    seed: Seed, say: Callable[[str], None], *, quiet: bool, still_at: datetime | None = None
) -> Iterator[Stack]:
    """Start everything, give it to the caller, and stop it in the reverse order.

    `say` is told of each step. `quiet` keeps the output of the commands, unless one fails. `still_at`: with a week of
    history up to this moment, at which the clock of the pages stands still; without worker and scheduler, which would
    change something.
    """
    root = default_root("demo")
    files = Addresses.file().parent
    logs = files / "logs"
    with ExitStack() as stack:
        say("Starting a PostgreSQL primary and two streaming replicas")
        cluster = stack.enter_context(Cluster(root, replicas=2))
        # The cluster's lock is held: no other demo of this checkout runs.
        end_left_behind(files)
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
        cluster.primary.query(f"CREATE DATABASE {DATABASE}")
        say("Starting the broker")
        broker = stack.enter_context(running_broker(files / "broker"))
        Addresses(
            database=DATABASE,
            primary=cluster.primary.port,
            replicas=tuple(server.port for server in cluster.replicas),
            broker=broker.url,
            cache=broker.cache,
        ).save()
        stack.callback(Addresses.file().unlink, missing_ok=True)
        say("Creating the tables")
        manage("migrate", "--verbosity=0", quiet=quiet)
        say("Filling the shop")
        manage("seed_shop", *seed.arguments(), quiet=quiet)
        # The counts of what is measured from here on begin with the processes that count.
        cluster.primary.query("TRUNCATE readshift_tally", dbname=DATABASE)
        if still_at is not None:
            stack.enter_context(clock_stopped_at(still_at))
            manage("demo_history", quiet=True)
        manage("demo_rules", quiet=True)
        say("Starting the web server" if still_at else "Starting web, worker and scheduler")
        port = _web_port()
        for server in cluster.servers:
            server.reset_statements()
        planned = _processes(port, logs, files) if still_at is None else [_web(port, logs, workers=1)]
        processes = tuple(stack.enter_context(process) for process in planned)
        running = Stack(f"http://127.0.0.1:{port}", cluster, processes, logs)
        wait_until(lambda: running.is_answering, START_SECONDS, "the web server to answer")
        yield running


def _processes(port: int, logs: Path, files: Path) -> list[Process]:
    celery = CELERY.split()
    return [
        _web(port, logs, WEB_WORKERS),
        Process("worker", [*celery, "worker", "--concurrency=1", "--loglevel=INFO"], logs / "worker.log"),
        Process("scheduler", [*celery, "beat", f"--schedule={files / 'beat'}"], logs / "scheduler.log"),
    ]


def _web(port: int, logs: Path, workers: int) -> Process:
    load = [f"--bind=127.0.0.1:{port}", f"--workers={workers}", f"--threads={WEB_THREADS}"]
    return Process(
        "web server",
        [*WEB.split(), *load, f"--keep-alive={KEEP_ALIVE_SECONDS}", "--no-control-socket"],
        logs / "web.log",
    )


def _web_port() -> int:
    """Return the usual port if it is free, else any."""
    for port in (PREFERRED_PORT, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as listener:
                return int(listener.getsockname()[1])
        except OSError:
            continue
    raise OSError("No port is free on 127.0.0.1.")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
