"""Steady, repeatable traffic on the sample shop."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from random import Random
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Self

import requests

from demo.visitors import (
    CUSTOMERS_ONLY,
    DEFAULT_MIX,
    LOGIN,
    POSTS,
    READ_MIX,
    SIGNED_OUT,
    Fields,
    Visitor,
    fault_of,
    fields_of,
    learn,
    next_action,
    path_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DEFAULT_MIX", "READ_MIX", "Report", "Traffic"]

CUSTOMER_SHARE = 0.4
TIMEOUT_SECONDS = 10
PAUSE_AFTER_SILENCE_SECONDS = 0.5
LONGEST_CATCH_UP_SECONDS = 1.0
FAILURES_KEPT = 10


@dataclass(frozen=True)
class Report:
    """What came of the traffic. An error is an answer that `fault_of` objects to, or no answer."""

    requests: int
    errors: int
    by_endpoint: Mapping[str, int]
    failures: tuple[str, ...]


class Tally:
    """Counts from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_endpoint: Counter[str] = Counter()
        self._errors = 0
        self._failures: list[str] = []

    def add(self, endpoint: str, fault: str | None) -> None:
        """Count a request, and what was wrong with it."""
        with self._lock:
            self._by_endpoint[endpoint] += 1
            if fault is None:
                return
            self._errors += 1
            if len(self._failures) < FAILURES_KEPT:
                self._failures.append(f"{endpoint}: {fault}")

    def report(self) -> Report:
        """The counts so far."""
        with self._lock:
            counts = dict(self._by_endpoint)
            return Report(sum(counts.values()), self._errors, counts, tuple(self._failures))


class Browser:
    """One visitor's cookies and connection."""

    def __init__(self, base_url: str, visitor: Visitor, rng: Random, tally: Tally) -> None:
        self.visitor, self.rng = visitor, rng
        self._base_url, self._tally = base_url.rstrip("/"), tally
        self._http = requests.Session()
        # The proxies and credentials of whoever runs the traffic have no place in it.
        self._http.trust_env = False
        self._http.headers["Referer"] = f"{self._base_url}/"
        # Guests send no session cookie, so this is what tells them apart, as address and browser do elsewhere.
        self._http.headers["User-Agent"] = f"Visitor {visitor.name}"

    def visit(self, endpoint: str) -> bool:
        """Do one thing there; False if the shop did not answer."""
        if endpoint == LOGIN and not self._request("GET", LOGIN, {}):
            return False
        fields = fields_of(endpoint, self.visitor, self.rng)
        return self._request("POST" if endpoint in POSTS else "GET", endpoint, fields)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _request(self, method: str, endpoint: str, fields: Fields) -> bool:
        try:
            answer = self._http.request(
                method,
                self._base_url + path_of(endpoint, self.visitor, self.rng),
                params=fields if method == "GET" else None,
                data=fields if method == "POST" else None,
                headers={"X-CSRFToken": self._http.cookies.get("csrftoken", "")},
                timeout=TIMEOUT_SECONDS,
                # A redirect is an answer; whether the visitor goes there is another decision.
                allow_redirects=False,
            )
            fault = fault_of(method, answer.status_code, answer.headers.get("Location", ""))
            if fault is None:
                learn(self.visitor, endpoint, answer)
        except requests.RequestException as error:
            self._tally.add(endpoint, type(error).__name__)
            return False
        if fault == SIGNED_OUT:
            self.visitor.signed_in = False
        self._tally.add(endpoint, fault)
        return True


class Pace:
    """Evenly spaced turns. A late one is caught up with, but a long silence is not followed by a burst."""

    def __init__(self, interval: float, first: float) -> None:
        self._interval, self._due = interval, first

    def delay(self, now: float) -> float:
        """How long to wait for the next turn."""
        due = max(self._due, now - LONGEST_CATCH_UP_SECONDS)
        self._due = due + self._interval
        return max(due - now, 0)


class Traffic:
    """Visitors who use the shop at `base_url` until they are stopped.

    `rate` is in operations per second for all of them together; None lets each worker go as fast as the shop answers.
    `customers` is the share of visitors who sign in, 0 to 1.
    """

    def __init__(
        self,
        base_url: str,
        *,
        users: int = 40,
        workers: int = 4,
        rate: float | None = 60.0,
        seed: int = 1,
        mix: Mapping[str, float] = DEFAULT_MIX,
        customers: float = CUSTOMER_SHARE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if users < 1 or workers < 1 or not mix or (rate is not None and rate <= 0):
            raise ValueError("Traffic needs at least one user, one worker, one endpoint, and a rate above zero.")
        self._mix, self._clock, self._seed = mix, clock, seed
        self._workers = min(workers, users)
        self._interval = self._workers / rate if rate else 0.0
        self._tally = Tally()
        self._stopping = Event()
        self._threads: list[Thread] = []
        rng = Random(seed)
        # Where guests have nothing to do, everybody is a customer.
        share = customers if mix.keys() - CUSTOMERS_ONLY else 1
        self._browsers = [
            Browser(base_url, Visitor(f"user{number}", rng.random() < share), Random(f"{seed} {number}"), self._tally)
            for number in range(1, users + 1)
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Let the visitors in."""
        if self._threads:
            raise RuntimeError("This traffic has been started already.")
        now = self._clock()
        for number in range(self._workers):
            # Every visitor belongs to one worker: neither a browser nor a visitor is made for two threads.
            browsers = self._browsers[number :: self._workers]
            pace = Pace(self._interval, now + self._interval * number / self._workers)
            rng = Random(f"{self._seed} worker {number}")
            self._threads.append(Thread(target=self._work, args=(browsers, pace, rng), daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> Report:
        """Send everybody home as soon as they have their last answer."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for browser in self._browsers:
            browser.close()
        return self.report()

    def report(self) -> Report:
        """What has come of it so far."""
        return self._tally.report()

    def _work(self, browsers: list[Browser], pace: Pace, rng: Random) -> None:
        while not self._stopping.wait(pace.delay(self._clock())):
            browser = rng.choice(browsers)
            if not browser.visit(next_action(browser.visitor, self._mix, browser.rng)):
                self._stopping.wait(PAUSE_AFTER_SILENCE_SECONDS)
