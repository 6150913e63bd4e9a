"""The clients of one scenario, at a steady pace."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from random import Random
from threading import Event, Thread
from types import TracebackType
from typing import Self

import requests

from benchmarks.failover.history import History, Kind, Request

TIMEOUT_SECONDS = 20.0
_STOP_SECONDS = TIMEOUT_SECONDS + 5.0
_PATHS = {Kind.READ: "page", Kind.STRICT: "strict", Kind.WRITE: "write"}


@dataclass(frozen=True, slots=True)
class Part:
    """Clients of one kind, and how many requests a second they make together."""

    kind: Kind
    clients: int
    rate: float


PARTS = (Part(Kind.READ, 30, 100.0), Part(Kind.STRICT, 3, 10.0), Part(Kind.WRITE, 3, 10.0))


class Client:
    """One actor that does nothing but one kind of request. Half of them keep cookies, half send credentials."""

    def __init__(self, number: int, kind: Kind, url: str, keys: Sequence[str], history: History) -> None:
        self._kind, self._url, self._keys, self._history = kind, f"{url}/{_PATHS[kind]}", keys, history
        self._random = Random(f"{kind}:{number}")  # noqa: S311 - repeatable traffic
        self._http = requests.Session()
        # The proxies and credentials of whoever runs the benchmark have no place in it.
        self._http.trust_env = False
        self._http.headers["User-Agent"] = f"failover {kind}-{number}"
        if number % 2:
            self._http.headers["Authorization"] = f"Token {kind}-{number}"
            self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def act(self) -> None:
        """Make one request and record it."""
        method = "POST" if self._kind is Kind.WRITE else "GET"
        status, servers, is_shed, error = 0, frozenset[str](), False, ""
        started = time.monotonic()
        try:
            answer = self._http.request(
                method, f"{self._url}/{self._random.choice(self._keys)}", timeout=TIMEOUT_SECONDS
            )
            status = answer.status_code
            if status == HTTPStatus.OK:
                servers = frozenset(answer.json()["servers"])
            else:
                is_shed = status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers
                error = str(status)
        except requests.RequestException as failure:
            error = type(failure).__name__
        self._history.add(Request(self._kind, started, time.monotonic(), status, servers, is_shed), error)

    def close(self) -> None:
        self._http.close()


class Load:
    """All clients, each in a thread of its own, from entering the context to leaving it.

    A client that waits for an answer misses its turns, and does not make up for them.
    """

    def __init__(self, url: str, keys: Sequence[str], history: History) -> None:
        self._stopped = Event()
        self._broken: list[Exception] = []
        self._threads = [
            Thread(
                target=self._run,
                args=(Client(number, part.kind, url, keys, history), part.clients / part.rate, number / part.rate),
                name=f"{part.kind}-{number}",
                daemon=True,
            )
            for part in PARTS
            for number in range(part.clients)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def check(self) -> None:
        """Raise what ended a client that should still be at work."""
        if self._broken:
            raise self._broken[0]

    def _run(self, client: Client, period: float, offset: float) -> None:
        due = time.monotonic() + offset
        try:
            while not self._stopped.wait(max(0.0, due - time.monotonic())):
                client.act()
                due = max(due + period, time.monotonic())
        except Exception as error:  # noqa: BLE001 - kept for the runner, which raises it
            self._broken.append(error)
        finally:
            client.close()
