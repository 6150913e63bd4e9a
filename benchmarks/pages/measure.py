"""Asks for the pages, in the process in which Django is set up, and takes the time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from statistics import median
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client

from demo.waiting import wait_until
from rollout.settings import get_settings
from routers.agent import agent
from routers.prober import prober
from routers.replicas import replicas

PERMISSIONS = ("operate_routing", "view_routingrule", "add_routingrule", "change_routingrule")
_READY_SECONDS = 30.0


class PageError(RuntimeError):
    """A page did not come. The message says which, and what came instead."""


@dataclass(slots=True)
class Requests:
    """How long each request for one page took, in ms and without the first, and the most queries of one.

    cpu_times: what this process's processor was busy with them, the database's share left out.
    """

    first_ms: float = 0.0
    times: list[float] = field(default_factory=list)
    cpu_times: list[float] = field(default_factory=list)
    queries: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the figures, as the benchmark reports them."""
        return {
            "ms": round(median(self.times), 1),
            "queries": self.queries,
            "cpu_ms": round(median(self.cpu_times), 1),
            "first_ms": round(self.first_ms, 1),
            "slowest_ms": round(max(self.times), 1),
        }


def operator() -> Client:
    """Return a client who is logged in as somebody who may operate, and is no superuser."""
    user = User.objects.create_user("operator", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=PERMISSIONS))
    client = Client()
    client.force_login(user)
    return client


@contextmanager
def process_at_work() -> Iterator[None]:
    """Have this process hold a policy and know how the servers stand, as one does that decides reads."""
    try:
        agent.start()
        prober.start()
        wait_until(lambda: agent.state()[1] is None, _READY_SECONDS, "the policy to be read")
        wait_until(lambda: all(map(replicas.is_fit, get_settings().replicas)), _READY_SECONDS, "the replicas to be fit")
        yield
    finally:
        prober.stop()
        agent.stop()


def measure(client: Client, address: str, times: int) -> Requests:
    """Ask for a page so many times, after once that is told apart."""
    found = Requests()
    with _counted() as queries:
        for number in range(times + 1):
            before = queries()
            begun, begun_cpu = time.perf_counter(), time.thread_time()
            _ask(client, address)
            took, took_cpu = 1000 * (time.perf_counter() - begun), 1000 * (time.thread_time() - begun_cpu)
            if number:
                found.times.append(took)
                found.cpu_times.append(took_cpu)
                found.queries = max(found.queries, queries() - before)
            else:
                found.first_ms = took
    return found


def _ask(client: Client, address: str) -> None:
    response = client.get(address)
    if response.status_code != HTTPStatus.OK:
        raise PageError(f"{address} was answered with status {response.status_code}.")


@contextmanager
def _counted() -> Iterator[Callable[[], int]]:
    """Give a function that returns how many queries this thread has sent to the primary so far."""
    count = 0

    def wrapper(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*arguments)

    with connection.execute_wrapper(wrapper):
        yield lambda: count
