"""Servers that are asked in turn for the same page, so that whatever slows the machine slows all of them."""

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from random import Random
from urllib.parse import urlsplit

WARM_UP_ROUNDS = 60
_THOUGHT_SECONDS = 0.02
"""Long enough for couriers and workers to do their part in between, as on a machine that is not overloaded."""
_TIMEOUT_SECONDS = 20.0
_MOST_SEEDS = 1_000_000


def take_turns(
    urls: Mapping[str, str], seconds: float, seed: int, errors: Counter[str], *, rounds: int | None = None
) -> dict[str, list[float]]:
    """Ask each server once a round, in an order that changes, and return how long each took, in milliseconds.

    urls: name to URL. rounds: how many; without it, as many as fit into the time. One client with a connection to each,
    which thinks for a moment before each request. A request that failed is counted in `errors`, and its round left out.
    """
    took: dict[str, list[float]] = {name: [] for name in urls}
    dice, end, done = Random(seed), time.monotonic() + seconds, 0  # noqa: S311 - repeatable traffic
    with ExitStack() as stack:
        connections = {name: stack.enter_context(closing(_connect(url))) for name, url in urls.items()}
        while time.monotonic() < end and done != rounds:
            path = f"/page/{dice.randrange(_MOST_SEEDS)}"
            times = {name: _ask(name, connections[name], path, errors) for name in dice.sample(list(urls), len(urls))}
            for name, milliseconds in times.items():
                if None not in times.values():
                    took[name].append(milliseconds or 0.0)
            done += 1
    return took


def _connect(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)


def _ask(name: str, connection: HTTPConnection, path: str, errors: Counter[str]) -> float | None:
    time.sleep(_THOUGHT_SECONDS)
    begin = time.perf_counter()
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (HTTPException, OSError) as failure:
        connection.close()
        errors[f"{name}: {type(failure).__name__}"] += 1
        return None
    took = time.perf_counter() - begin
    if answer.status != HTTPStatus.OK:
        errors[f"{name}: {answer.status}"] += 1
        return None
    return took * 1000
