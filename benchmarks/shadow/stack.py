"""Everything that a run needs: databases, and for each phase a broker, web servers, workers and a writer of its own."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from itertools import count
from pathlib import Path

import requests

from benchmarks.processes import CHECKOUT, Project, free_port, manage, running
from benchmarks.shadow.reports import Reports
from benchmarks.systems import OWN
from demo.addresses import Addresses
from demo.broker import running_broker
from demo.cluster import Cluster, default_root
from demo.cluster.processes import living
from demo.waiting import wait_until

DATABASE = "shadow"
FILES = CHECKOUT / ".demo" / "shadow-app"
PROJECT = Project("benchmarks.shadow.app", FILES)
START_SECONDS = 60.0
_REPLAY_SECONDS = 60.0
# What a publication needs.
_SETTINGS = {"wal_level": "logical"}


@dataclass(frozen=True, slots=True)
class Stack:
    """The databases, and how to run the project on them. more: further variables of its processes."""

    cluster: Cluster
    more: Mapping[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def reports(self) -> Reports:
        return Reports(self.cluster.primary, DATABASE)

    def variables(self, **more: str) -> dict[str, str]:
        """Return the environment of the project's processes."""
        return {**PROJECT.environment(OWN, FILES / "addresses.json"), **self.more, **more}

    def prepare(self) -> None:
        """Fill the tables unless they are filled, write the rules, and let every standby have them."""
        manage(["prepare_shadow"], self.variables())
        self.cluster.wait_for_replay(_REPLAY_SECONDS)

    @contextmanager
    def broker(self) -> Iterator[None]:
        """Run a broker for all processes that begin from now on."""
        with running_broker(FILES / "broker") as broker:
            _write_addresses(self.cluster, broker.url)
            yield

    @contextmanager
    def web(self, page: str = "plain", *, threads: int = 4) -> Iterator[str]:
        """Run a web server of one process and give its URL. page: says which rule the page is under."""
        port, log = free_port(), self._log(f"web-{page}")
        with running("web server", PROJECT.web_server(port, 1, threads), self.variables(SHADOW_PAGE=page), log):
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _is_ready(url), START_SECONDS, f"the web server to answer, see {log}")
            yield url

    @contextmanager
    def worker(self, *arguments: str, **variables: str) -> Iterator[None]:
        """Run a worker that also keeps the schedule. arguments: further ones, such as how many processes it has."""
        log = self._log("worker")
        own = ["worker", "--beat", f"--schedule={FILES / 'beat'}", "--loglevel=INFO", *arguments]
        with running("worker", [*PROJECT.celery.split(), *own], self.variables(**variables), log):
            yield

    @contextmanager
    def writer(self, *arguments: str) -> Iterator[None]:
        """Have a process write to the primary all the time. arguments: those of `benchmarks.shadow.writer`."""
        command = ["benchmarks.shadow.writer", self.cluster.primary.dsn(DATABASE), *arguments]
        with running("writer", command, os.environ, self._log("writer")):
            yield

    def settle(self) -> None:
        """Return when both standbys replay without delay, and show all that was committed."""
        for replica in self.cluster.replicas:
            replica.set_apply_delay(0)
            replica.resume_replay()
        self.cluster.wait_for_replay(_REPLAY_SECONDS)

    def _log(self, name: str) -> Path:
        return FILES / "logs" / f"{name}-{next(self._numbers)}.log"


@contextmanager
def running_stack(say: Callable[[str], None]) -> Iterator[Stack]:
    """Start what all phases need, give it to the caller, and stop it in the reverse order."""
    with ExitStack() as stack:
        say("starting a primary and two standbys")
        cluster = stack.enter_context(Cluster(default_root("shadow"), replicas=2, settings=_SETTINGS))
        # The cluster's lock is held: no other run of this checkout is under way.
        PROJECT.end_left_behind()
        shutil.rmtree(FILES, ignore_errors=True)
        Path(FILES, "logs").mkdir(parents=True)
        cluster.primary.query(f"CREATE DATABASE {DATABASE}")
        _write_addresses(cluster)
        running_here = Stack(cluster)
        manage(["migrate", "--run-syncdb", "--verbosity=0"], running_here.variables())
        running_here.prepare()
        yield running_here


def create_tables(server_port: int) -> None:
    """Create the project's tables on another server, which has the database."""
    file = FILES / "other.json"
    file.write_text(json.dumps(asdict(Addresses(DATABASE, server_port, ()))))
    manage(["migrate", "--run-syncdb", "--verbosity=0"], PROJECT.environment(OWN, file))


def worker_process() -> int:
    """Return the number of the worker's first process, which with the pool "solo" does the work."""
    workers = {process.pid: process.parent for process in living() if f"{PROJECT.celery} worker" in process.command}
    (first,) = (pid for pid, parent in workers.items() if parent not in workers)
    return first


def _write_addresses(cluster: Cluster, broker: str = "memory://") -> None:
    replicas = tuple(server.port for server in cluster.replicas)
    addresses = Addresses(DATABASE, cluster.primary.port, replicas, broker)
    Path(FILES, "addresses.json").write_text(json.dumps(asdict(addresses)))


def _is_ready(url: str) -> bool:
    with requests.Session() as http:
        http.trust_env = False
        try:
            return http.get(f"{url}/ready", timeout=5).status_code == HTTPStatus.OK
        except requests.RequestException:
            return False
