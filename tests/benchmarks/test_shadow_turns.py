"""Servers take turns: each is asked once a round, and a round in which one fails counts for none."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

import pytest

from benchmarks.shadow.clients import Clients, ask_once
from benchmarks.shadow.turns import take_turns
from demo.waiting import wait_until


class Pages(BaseHTTPRequestHandler):
    """Answers every page, except that of every third request to a server that fails."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append((self.client_address[1], self.path))
        # Clients ask at the same time, and none must share a number.
        failed = self.server.fails and next(self.server.numbers) % 3 == 0
        self.send_response(500 if failed else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fails: bool) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.fails = fails
        self.asked: list[tuple[int, str]] = []
        self.numbers = count(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(fails: bool = False) -> Iterator[Server]:
    with Server(fails) as server:
        Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with ExitStack() as stack:
        yield stack.enter_context(serving()), stack.enter_context(serving(fails=True))


def test_each_server_is_asked_for_the_same_pages_over_one_connection() -> None:
    with serving() as first, serving() as second:
        took = take_turns({"a": first.url, "b": second.url}, 60, 1, Counter(), rounds=7)
    assert [len(times) for times in took.values()] == [7, 7]
    assert all(time > 0 for times in took.values() for time in times)
    assert [path for _, path in first.asked] == [path for _, path in second.asked]
    assert len({path for _, path in first.asked}) > 1
    assert len({port for port, _ in first.asked}) == 1


def test_a_round_in_which_a_server_fails_counts_for_none(servers: tuple[Server, Server]) -> None:
    errors: Counter[str] = Counter()
    took = take_turns({"good": servers[0].url, "bad": servers[1].url}, 60, 1, errors, rounds=9)
    assert errors == {"bad: 500": 3}
    assert [len(times) for times in took.values()] == [6, 6]


def test_a_server_that_is_gone_is_an_error_and_nothing_else() -> None:
    errors: Counter[str] = Counter()
    took = take_turns({"gone": "http://127.0.0.1:1"}, 60, 1, errors, rounds=2)
    assert (took, errors) == ({"gone": []}, {"gone: ConnectionRefusedError": 2})


def test_turns_end_in_time() -> None:
    with serving() as server:
        assert take_turns({"a": server.url}, 0, 1, Counter()) == {"a": []}


def test_clients_count_what_they_asked_and_what_failed(servers: tuple[Server, Server]) -> None:
    _, bad = servers
    with Clients(bad.url, ["page/{seed}"], clients=3, rate=300) as clients:
        wait_until(lambda: clients.requests >= 9, 20, "the clients to ask")
    assert clients.requests == len(bad.asked)
    assert clients.errors == {"page: 500": len(bad.asked) // 3}


def test_asking_once_tells_what_failed(servers: tuple[Server, Server]) -> None:
    assert ask_once(servers[1].url, ["a", "b", "c"]) == {"c: 500": 1}
