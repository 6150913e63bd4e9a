"""As many connections as a large site has: how a notification reaches them, what each asks for again and again."""

import selectors
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from statistics import median
from typing import Any

import psycopg

from benchmarks.probing.backends import memory_mb
from benchmarks.scale.primary import spending
from demo.cluster import Server

_CHANGES = 5
_POLL_ROUNDS = 3
_TURNS = 300
_WEIGHED = 25
_LONGEST_SECONDS = 30.0

Connections = Sequence[psycopg.Connection[Any]]


@contextmanager
def listening(server: Server, number: int) -> Iterator[Connections]:
    """Have so many connections to the primary that listen as agents do."""
    from rollout.models.revision import CHANNEL  # noqa: PLC0415 - it needs settings

    with ExitStack() as stack:
        connections = [stack.enter_context(closing(server.connect())) for _ in range(number)]
        for connection in connections:
            connection.execute(f"LISTEN {CHANNEL}")
        yield connections


def measure(server: Server, connections: Connections) -> dict[str, Any]:
    """Return the figures for these connections."""
    return {
        "listeners": len(connections),
        "notify": _notify(server, connections),
        "poll": _poll(server, connections),
        "turns": _turns(server),
        "memory_mb_per_connection": round(
            memory_mb([connection.info.backend_pid for connection in connections[:_WEIGHED]]), 2
        ),
    }


def _notify(server: Server, connections: Connections) -> dict[str, Any]:
    seconds, spent_ms = [], []
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        for _ in range(_CHANGES):
            with spending(server) as spent:
                seconds.append(_change(selector, len(connections)))
            spent_ms.append(spent.cpu_ms)
    return {
        "seconds_to_the_last": round(median(seconds), 4),
        "longest_seconds": round(max(seconds), 4),
        "primary_cpu_ms": round(median(spent_ms), 2),
    }


def _change(selector: selectors.BaseSelector, left: int) -> float:
    """Save a rule, and return how many seconds later the last connection had heard of it."""
    from django.db import transaction  # noqa: PLC0415 - they need settings

    from rollout.models import RoutingRule  # noqa: PLC0415

    rule = RoutingRule.objects.all()[0]
    with transaction.atomic():
        rule.save()
    began = time.perf_counter()
    while left:
        ready = selector.select(_LONGEST_SECONDS)
        if not ready:
            raise TimeoutError(f"{left} connections heard nothing of a change for {_LONGEST_SECONDS:g} s.")
        left -= sum(len(list(_connection(key).notifies(timeout=0))) for key, _ in ready)
    return time.perf_counter() - began


def _connection(key: selectors.SelectorKey) -> psycopg.Connection[Any]:
    connection = key.fileobj
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 - the type of what was registered
    return connection


def _poll(server: Server, connections: Connections) -> dict[str, Any]:
    """Ask for the revision on each connection in turn, as 1,000 processes do."""
    from rollout.models import PolicyRevision  # noqa: PLC0415 - it needs settings

    statement = str(PolicyRevision.objects.values_list("revision", flat=True).order_by("pk")[:1].query)
    for connection in connections:
        connection.execute(statement)
    with spending(server) as spent:
        for _ in range(_POLL_ROUNDS):
            for connection in connections:
                connection.execute(statement)
    return {"primary_cpu_ms": round(spent.cpu_ms / len(connections) / _POLL_ROUNDS, 4)}


def _turns(server: Server) -> dict[str, Any]:
    """Do what an agent does in its turns, many times on one connection, beside all the others."""
    from django.utils import timezone  # noqa: PLC0415 - they need settings

    from rollout.loading import read_revision  # noqa: PLC0415
    from rollout.watching import watch  # noqa: PLC0415
    from routers.control import control_alias  # noqa: PLC0415
    from routers.presence import Presence  # noqa: PLC0415

    alias, presence = control_alias(), Presence(lambda: 0.0)
    presence.announce(alias)
    revisions = count(1)
    work: dict[str, Callable[[], object]] = {
        "poll": lambda: read_revision(alias),
        "heartbeat": lambda: presence.tell(alias, next(revisions)),
        "plans": lambda: watch(alias, unless_since=timezone.now()),
    }
    found = {}
    for name, turn in work.items():
        turn()
        with spending(server) as spent:
            began = time.thread_time()
            for _ in range(_TURNS):
                turn()
            own = time.thread_time() - began
        found[name] = {
            "process_cpu_ms": round(1000 * own / _TURNS, 3),
            "primary_cpu_ms": round(spent.cpu_ms / _TURNS, 3),
            "wal_bytes": round(spent.wal_bytes / _TURNS),
        }
    presence.leave(alias)
    return found
