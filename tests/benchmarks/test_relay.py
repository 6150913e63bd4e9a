"""Relays pass bytes on, cut what is connected, hold what comes, swallow, and slow down."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

import pytest

from benchmarks.relay import HOST, Relay
from benchmarks.relays import Relays


def answer_with(stack: ExitStack, name: bytes) -> int:
    """Start a server that answers every message with its name, and return its port."""
    listener = stack.enter_context(socket.create_server((HOST, 0)))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            Thread(target=talk, args=[connection], daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with connection:
            try:
                while connection.recv(100):
                    connection.sendall(name)
            except OSError:
                return

    Thread(target=serve, daemon=True).start()
    stack.callback(listener.shutdown, socket.SHUT_RDWR)
    return int(listener.getsockname()[1])


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    with ExitStack() as stack:
        yield answer_with(stack, b"old"), answer_with(stack, b"new")


def connect(relay: Relay) -> socket.socket:
    return connect_to(relay.port)


def connect_to(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=5)


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(0.2)
    try:
        connection.recv(100)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5)
    return False


@contextmanager
def server_and_client() -> Iterator[tuple[Relay, socket.socket, socket.socket]]:
    """Give both ends of a connection through a relay."""
    with (
        socket.create_server((HOST, 0)) as listener,
        Relay(listener.getsockname()[1]) as relay,
        connect(relay) as client,
    ):
        server, _ = listener.accept()
        with server:
            yield relay, server, client


def ask(connection: socket.socket) -> bytes:
    connection.sendall(b"who?")
    return connection.recv(100)


def has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


def test_a_connection_reaches_the_target(ports: tuple[int, int]) -> None:
    with Relay(ports[0]) as relay, connect(relay) as first, connect(relay) as second:
        assert [ask(first), ask(second), ask(first)] == [b"old"] * 3


def test_a_cut_ends_what_is_connected(ports: tuple[int, int]) -> None:
    with Relay(ports[0]) as relay, connect(relay) as connection:
        assert ask(connection) == b"old"
        relay.cut()
        assert has_ended(connection)


def test_what_comes_after_a_cut_waits_for_the_new_target(ports: tuple[int, int]) -> None:
    with Relay(ports[0]) as relay:
        relay.cut()
        with connect(relay) as connection:
            connection.sendall(b"who?")
            assert is_silent(connection)
            relay.point_to(ports[1])
            assert connection.recv(100) == b"new"


def test_a_refused_target_ends_the_connection() -> None:
    with socket.create_server((HOST, 0)) as listener:
        free = int(listener.getsockname()[1])
    with Relay(free) as relay, connect(relay) as connection:
        assert has_ended(connection)


def test_a_black_hole_keeps_connections_and_passes_nothing_on(ports: tuple[int, int]) -> None:
    with Relay(ports[0]) as relay, connect(relay) as connection:
        assert ask(connection) == b"old"
        relay.black_hole()
        connection.sendall(b"who?")
        assert is_silent(connection)
        relay.restore()
        assert connection.recv(100) == b"old"
        assert ask(connection) == b"old"


def test_a_black_hole_swallows_answers_that_are_under_way() -> None:
    with server_and_client() as (relay, server, connection):
        connection.sendall(b"who?")
        assert server.recv(100) == b"who?"
        relay.black_hole()
        server.sendall(b"late")
        assert is_silent(connection)
        relay.restore()
        assert connection.recv(100) == b"late"


def test_a_black_hole_does_not_tell_that_the_server_ended_the_connection() -> None:
    with server_and_client() as (relay, server, connection):
        relay.black_hole()
        server.close()
        assert is_silent(connection)
        relay.restore()
        assert has_ended(connection)


def test_a_black_hole_lets_new_connections_hang(ports: tuple[int, int]) -> None:
    with Relay(ports[0]) as relay:
        relay.black_hole()
        with connect(relay) as connection:
            connection.sendall(b"who?")
            assert is_silent(connection)
            relay.restore()
            assert connection.recv(100) == b"old"


def test_a_delay_holds_back_each_answer_until_it_is_taken_away(ports: tuple[int, int]) -> None:
    with Relay(ports[0]) as relay, connect(relay) as connection:
        relay.delay(0.2)
        for _ in range(2):
            before = time.monotonic()
            assert ask(connection) == b"old"
            assert time.monotonic() - before >= 0.2
        relay.delay(0)
        before = time.monotonic()
        assert ask(connection) == b"old"
        assert time.monotonic() - before < 0.2


def test_relays_in_a_process_of_their_own_are_disturbed_one_by_one(ports: tuple[int, int]) -> None:
    with Relays(ports) as relays, connect_to(relays.ports[0]) as first, connect_to(relays.ports[1]) as second:
        assert [ask(first), ask(second)] == [b"old", b"new"]
        relays.black_hole(0)
        first.sendall(b"who?")
        assert is_silent(first)
        assert ask(second) == b"new"
        relays.restore(0)
        assert first.recv(100) == b"old"
        relays.delay(1, 0.2)
        before = time.monotonic()
        assert ask(second) == b"new"
        assert time.monotonic() - before >= 0.2
