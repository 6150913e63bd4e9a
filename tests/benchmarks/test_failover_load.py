"""Clients write down how each request ended, keep their pace, and stop when they are told to."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from benchmarks.failover.history import History, Kind, Request
from benchmarks.failover.load import PARTS, Client, Load


class Pages(BaseHTTPRequestHandler):
    """Answers what the last part of the path asks for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        wanted = self.path.rpartition("/")[2]
        body = json.dumps({"servers": ["default", "replica1"]}).encode()
        self.send_response({"shed": 503, "busy": 503, "broken": 500}.get(wanted, 200))
        if wanted == "shed":
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the base class looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def ask(url: str, key: str, kind: Kind = Kind.READ) -> tuple[Request, dict[str, int]]:
    history = History()
    client = Client(1, kind, url, [key], history)
    client.act()
    client.close()
    (request,) = history.since(0)
    return request, dict(history.errors)


def test_an_answer_tells_where_its_rows_came_from(url: str) -> None:
    request, errors = ask(url, "article")
    assert (request.is_ok, request.is_from_primary, errors) == (True, True, {})
    assert request.servers == {"default", "replica1"}
    assert request.started <= request.ended


def test_a_strict_read_from_a_replica_has_failed(url: str) -> None:
    request, errors = ask(url, "article", Kind.STRICT)
    assert (request.is_ok, errors) == (False, {"strict: from a replica": 1})


@pytest.mark.parametrize(
    ("key", "is_shed", "error"),
    [("shed", True, "read: 503"), ("busy", False, "read: 503"), ("broken", False, "read: 500")],
)
def test_a_refusal_is_shed_only_if_it_says_when_to_come_back(url: str, key: str, is_shed: bool, error: str) -> None:
    request, errors = ask(url, key)
    assert (request.is_ok, request.is_shed, errors) == (False, is_shed, {error: 1})


def test_no_answer_is_a_failure() -> None:
    request, errors = ask("http://127.0.0.1:1", "article")
    assert (request.is_ok, request.status, errors) == (False, 0, {"read: ConnectionError": 1})


def test_all_clients_keep_their_pace_until_they_are_stopped(url: str) -> None:
    history = History()
    begin = time.monotonic()
    with Load(url, ["article"], history) as load:
        time.sleep(1)
        load.check()
    seconds = time.monotonic() - begin
    asked = history.since(0)
    for part in PARTS:
        count = sum(request.kind is part.kind for request in asked)
        # A busy machine may make them miss turns, but never hurry.
        assert 0 < count <= part.rate * seconds + part.clients
    time.sleep(0.1)
    assert len(history.since(0)) == len(asked)
