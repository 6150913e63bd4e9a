"""Everything that one system runs on: databases, relay, broker, web server, worker."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass

import requests

from benchmarks.consistency.topology import DATABASE, Topology
from benchmarks.processes import CHECKOUT, Project, free_port, manage, running
from benchmarks.relay import Relay
from demo.addresses import Addresses
from demo.broker import running_broker
from demo.cluster import Cluster, default_root
from demo.waiting import wait_until

FILES = CHECKOUT / ".demo" / "consistency-app"
PROJECT = Project("benchmarks.consistency.app", FILES)
WEB_WORKERS = 2
WEB_THREADS = 4
WORKERS = 2
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Content:
    """The keys and names that the database holds from the beginning."""

    registers: tuple[str, ...]
    documents: tuple[str, ...]
    users: tuple[str, ...]

    def arguments(self) -> list[str]:
        return [word for name in ("registers", "documents", "users") for word in (f"--{name}", *getattr(self, name))]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running project on a cluster of its own."""

    url: str
    cluster: Cluster
    topology: Topology
    relay: Relay


@contextmanager
def running_stack(system: str, content: Content, say: Callable[[str], None]) -> Iterator[Stack]:
    """Start everything that this system needs, give it to the caller, and stop it in the reverse order."""
    with ExitStack() as stack:
        say("starting a primary and two standbys")
        cluster = stack.enter_context(Cluster(default_root("consistency"), replicas=2))
        # The cluster's lock is held: no other run of this checkout is under way.
        PROJECT.end_left_behind()
        shutil.rmtree(FILES, ignore_errors=True)
        logs = FILES / "logs"
        logs.mkdir(parents=True)
        cluster.primary.query(f"CREATE DATABASE {DATABASE}")
        relay = stack.enter_context(Relay(cluster.primary.port))
        broker = stack.enter_context(running_broker(FILES / "broker"))
        addresses = Addresses(
            database=DATABASE,
            primary=relay.port,
            replicas=tuple(server.port for server in cluster.replicas),
            broker=broker.url,
            cache=broker.cache,
        )
        file = FILES / "addresses.json"
        file.write_text(json.dumps(asdict(addresses)))
        variables = PROJECT.environment(system, file)
        manage(["migrate", "--run-syncdb", "--verbosity=0"], variables)
        manage(["prepare_consistency", *content.arguments()], variables)
        cluster.wait_for_replay()
        port = free_port()
        web = PROJECT.web_server(port, WEB_WORKERS, WEB_THREADS)
        worker = [*PROJECT.celery.split(), "worker", f"--concurrency={WORKERS}", "--loglevel=INFO"]
        stack.enter_context(running("web server", web, variables, logs / "web.log"))
        stack.enter_context(running("worker", worker, variables, logs / "worker.log"))
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _is_ready(url, content), START_SECONDS, f"the web server to answer, see {logs}")
        yield Stack(url, cluster, Topology(cluster.primary, list(cluster.replicas)), relay)


def _is_ready(url: str, content: Content) -> bool:
    """Whether a read answers, and a task ends: then web server, database, broker and worker all work."""
    with requests.Session() as http:
        http.trust_env = False
        http.headers["Authorization"] = "Token stack"
        try:
            enqueued = http.post(f"{url}/enqueue/read/{content.registers[0]}", timeout=5).json()
            wait_until(
                lambda: http.get(f"{url}/task/{enqueued['task']}", timeout=5).json()["state"] == "done",
                START_SECONDS,
                "the worker to carry out a task",
            )
        except requests.RequestException:
            return False
    return True
