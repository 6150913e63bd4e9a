"""Clients that read pages of many shapes at a steady pace."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from random import Random
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

import requests

TIMEOUT_SECONDS = 20.0
LONG_SECONDS = 60.0
_STOP_SECONDS = TIMEOUT_SECONDS + 5.0
_MOST_SEEDS = 1_000_000


class Clients:
    """So many clients, each in a thread of its own, from entering the context to leaving it.

    paths: what they ask for; `{seed}` stands for a number. rate: requests a second, of all together. A client that
    waits for an answer misses its turns.
    """

    def __init__(self, url: str, paths: Sequence[str], *, clients: int, rate: float) -> None:
        self.requests = 0
        self.errors: Counter[str] = Counter()
        self._url, self._paths, self._period = url, paths, clients / rate
        self._stopped, self._pausing, self._lock = Event(), Event(), Lock()
        self._threads = [
            Thread(target=self._run, args=(number, number / rate), name=f"client-{number}", daemon=True)
            for number in range(clients)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def pause(self, pausing: bool) -> None:
        """Let them rest, or go on."""
        if pausing:
            self._pausing.set()
        else:
            self._pausing.clear()

    def stop(self) -> None:
        """End them, each when it has its answer."""
        self._stopped.set()
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, number: int, offset: float) -> None:
        dice, due = Random(number), time.monotonic() + offset  # noqa: S311 - repeatable traffic
        with requests.Session() as http:
            # The proxies and credentials of whoever runs the benchmark have no place in it.
            http.trust_env = False
            http.headers["User-Agent"] = f"shadow client-{number}"
            while not self._stopped.wait(max(0.0, due - time.monotonic())):
                if not self._pausing.is_set():
                    path = dice.choice(self._paths).format(seed=dice.randrange(_MOST_SEEDS))
                    self._note(path, _ask(http, f"{self._url}/{path}"))
                due = max(due + self._period, time.monotonic())

    def _note(self, path: str, error: str) -> None:
        with self._lock:
            self.requests += 1
            if error:
                self.errors[f"{path.rpartition('/')[0]}: {error}"] += 1


def ask_once(url: str, paths: Iterable[str]) -> Counter[str]:
    """Ask for each of these, one after the other, and return what went wrong."""
    errors: Counter[str] = Counter()
    with requests.Session() as http:
        http.trust_env = False
        for path in paths:
            if error := _ask(http, f"{url}/{path}", LONG_SECONDS):
                errors[f"{path}: {error}"] += 1
    return errors


def paths_of(url: str) -> list[str]:
    """Return where the project at this URL reads in all shapes. Raises `requests.RequestException`, an `OSError`."""
    with requests.Session() as http:
        http.trust_env = False
        answer = http.get(f"{url}/shapes", timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        paths: list[str] = answer.json()["paths"]
        return paths


def _ask(http: requests.Session, url: str, seconds: float = TIMEOUT_SECONDS) -> str:
    """Make one request, and return what went wrong."""
    try:
        status = http.get(url, timeout=seconds).status_code
    except requests.RequestException as failure:
        return type(failure).__name__
    return "" if status == HTTPStatus.OK else str(status)
