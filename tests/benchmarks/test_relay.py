"""The relay passes bytes on, cuts what is connected, and holds what comes until it has a target again."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread

import pytest

from benchmarks.relay import HOST, Relay


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
    return socket.create_connection((HOST, relay.port), timeout=5)


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
            connection.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.recv(100)
            connection.settimeout(5)
            relay.point_to(ports[1])
            assert connection.recv(100) == b"new"


def test_a_refused_target_ends_the_connection() -> None:
    with socket.create_server((HOST, 0)) as listener:
        free = int(listener.getsockname()[1])
    with Relay(free) as relay, connect(relay) as connection:
        assert has_ended(connection)
