"""Threads of a server, and what they leave open."""

from collections import Counter
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from routers.agent import agent
from tests.pooling.support import NAMES, configured, count_backends, everywhere, serve, wait_for_backends
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

THREADS = 6
REQUESTS = 10


class Workers:
    """Threads that serve requests, wait, and end. Each has its own connections, as a server's have."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self._all_have_served = Barrier(THREADS + 1, timeout=60)
        self._may_end = Barrier(THREADS + 1, timeout=60)
        self._threads = [Thread(target=self._work) for _ in range(THREADS)]

    def serve(self) -> None:
        """Let all threads serve at the same time, and return when they have."""
        for thread in self._threads:
            thread.start()
        self._all_have_served.wait()

    def end(self) -> None:
        self._may_end.wait()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        try:
            for _ in range(REQUESTS):
                self.answers[str(serve())] += 1
            self._all_have_served.wait()
            self._may_end.wait()
        finally:
            connections.close_all()


@pytest.fixture
def workers(routed: Servers) -> Workers:
    # Read once, so that the threads do not do it at the same time.
    agent.reload()
    connections.close_all()
    return Workers()


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({"CONN_MAX_AGE": 0}, 0),
        ({"CONN_MAX_AGE": 60}, THREADS),
        ({"OPTIONS": {"pool": {"min_size": 0, "max_size": 2, "timeout": 60}}}, 2),
    ],
    ids=["closed", "persistent", "pooled"],
)
def test_threads_keep_no_more_connections_than_they_may(
    routed: Servers, workers: Workers, options: dict[str, Any], most: int
) -> None:
    connections.close_all()
    with configured(everywhere(**options)), routed.watch() as reads:
        workers.serve()
        if most == 0:
            for server in routed.cluster.servers:
                wait_for_backends(server, 0)
        kept = count_backends(routed)
        workers.end()
    assert workers.answers == {str(NAMES): THREADS * REQUESTS}
    assert (reads.primary, reads.replicas) == (0, THREADS * REQUESTS)
    assert max(kept.values()) <= most
    for server in routed.cluster.servers:
        wait_for_backends(server, 0)
