"""Everything that a run needs: databases, each held to its share, and processes of clients for each system."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.processes import CHECKOUT, Project, manage
from benchmarks.shares import Group, NotAllowedError, held
from benchmarks.systems import OWN
from benchmarks.throughput import operator
from benchmarks.throughput.clients import Clients
from benchmarks.throughput.content import Content, multiply
from benchmarks.throughput.crowd import PROCESSES, THREADS
from benchmarks.throughput.measures import Meters, meters
from benchmarks.throughput.spare import used_up
from demo.addresses import Addresses
from demo.broker import running_broker
from demo.cluster import Cluster, default_root

DATABASE = "throughput"
FILES = CHECKOUT / ".demo" / "throughput-app"
PROJECT = Project("benchmarks.throughput.app", FILES)
_REPLAY_SECONDS = 60.0
_OTHERS = 40
# Clients of all systems stay connected, also while others are measured.
_SETTINGS = {"shared_buffers": "128MB"}


@dataclass(frozen=True, slots=True)
class Stack:
    """clients: by system. rest: what uses up the processors. share: that each server is held to, or None, and why."""

    clients: Mapping[str, Clients]
    meters: Meters
    rest: Group | None
    share: float | None
    reason: str


@contextmanager
def running_stack(systems: Sequence[str], share: float, say: Callable[[str], None]) -> Iterator[Stack]:
    """Start all, give it to the caller, and stop it in the reverse order. share: of one processor, for each server."""
    with ExitStack() as stack:
        say("starting a primary and two standbys")
        connections = PROCESSES * THREADS * len(systems) + _OTHERS
        settings = {**_SETTINGS, "max_connections": str(connections)}
        cluster = stack.enter_context(Cluster(default_root("throughput"), replicas=2, settings=settings))
        # The cluster's lock is held: no other run of this checkout is under way.
        PROJECT.end_left_behind()
        shutil.rmtree(FILES, ignore_errors=True)
        logs = FILES / "logs"
        logs.mkdir(parents=True)
        cluster.primary.query(f"CREATE DATABASE {DATABASE}")
        broker = stack.enter_context(running_broker(FILES / "broker"))
        addresses = FILES / "addresses.json"
        _write(addresses, cluster, broker.cache)
        say("filling the shop")
        content = _fill(cluster, addresses)
        operator.sign_in(PROJECT.environment(OWN, addresses))
        say("starting the clients")
        clients = {
            system: stack.enter_context(Clients(system, PROJECT.environment(system, addresses), content, logs).alive())
            for system in systems
        }
        groups, rest, reason = _hold(stack, cluster, share)
        found = stack.enter_context(meters(cluster.servers, groups))
        yield Stack(clients, found, rest, share if groups else None, reason)


def _write(file: Path, cluster: Cluster, cache: str) -> None:
    replicas = tuple(server.port for server in cluster.replicas)
    file.write_text(json.dumps(asdict(Addresses(DATABASE, cluster.primary.port, replicas, cache=cache))))


def _fill(cluster: Cluster, addresses: Path) -> Content:
    variables = PROJECT.environment(OWN, addresses)
    manage(["migrate", "--verbosity=0"], variables)
    file = FILES / "content.json"
    manage(["prepare_throughput", str(file)], variables)
    multiply(cluster.primary, DATABASE)
    cluster.wait_for_replay(_REPLAY_SECONDS)
    return Content.load(file)


def _hold(stack: ExitStack, cluster: Cluster, share: float) -> tuple[list[Group], Group | None, str]:
    """Hold every server to the share and use up the rest, or do neither.

    Returns the servers' groups and that of the rest, or why there are none.
    """
    with ExitStack() as groups:
        try:
            found = [groups.enter_context(held(server, share)) for server in cluster.servers]
            rest = groups.enter_context(used_up())
        except NotAllowedError as error:
            return [], None, str(error)
        stack.push(groups.pop_all())
    return found, rest, ""
