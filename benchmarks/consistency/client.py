"""A client: an actor that does one thing after the other and writes down what it was told."""

import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from itertools import count
from random import Random
from typing import Any

import requests

from benchmarks.consistency.history import History, Kind, Operation, Outcome

WRITE_SHARE = 1 / 19
"""Of what is not the look at what was just written, so that one operation in 20 writes."""

TIMEOUT_SECONDS = 10.0
TASK_SECONDS = 20.0
LONGEST_THOUGHT_SECONDS = 0.02
POLL_SECONDS = 0.02
RECENT_WRITES = 3

Act = Callable[[], None]


class Style(StrEnum):
    """How a client shows who it is.

    SESSION: signed in, with a session cookie.
    ANONYMOUS: never signed in, but keeps the cookies that it is given.
    CREDENTIALS: an Authorization header, and no cookies.
    """

    SESSION = "session"
    ANONYMOUS = "anonymous"
    CREDENTIALS = "credentials"


class RefusedError(Exception):
    """The answer was not what a client of a healthy application gets."""


class Client:
    """One actor. All that it does until it is stopped follows from its seed and from what it is answered."""

    def __init__(
        self,
        number: int,
        style: Style,
        *,
        url: str,
        registers: Sequence[str],
        documents: Sequence[str],
        history: History,
        seed: int,
    ) -> None:
        self.name = f"{style}-{number}"
        self.document = documents[number]
        self.style = style
        self._url, self._history = url, history
        self._registers, self._documents = registers, documents
        self._random = Random(f"{seed}:{number}")  # noqa: S311 - repeatable traffic
        self._answers = count(1)
        self._read: dict[str, int] = {}
        self._written: list[str] = []
        self._next: list[Act] = []
        self._http = requests.Session()
        # The proxies and credentials of whoever runs the benchmark have no place in it.
        self._http.trust_env = False
        self._http.headers["User-Agent"] = f"consistency {self.name}"
        if style is Style.CREDENTIALS:
            self._http.headers["Authorization"] = f"Token {self.name}"
            self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def sign_in(self) -> None:
        """Begin a session, if this client has one. Raises `RefusedError`."""
        if self.style is Style.SESSION:
            self._request("POST", "/sign-in", {"username": self.name})

    def close(self) -> None:
        self._http.close()

    def act(self) -> None:
        """Do one thing and record it."""
        if self._next:
            self._next.pop()()
        elif self._random.random() < WRITE_SHARE:
            self._random.choices((self._write, self._revise, self._write_by_task), (10, 7, 3))[0]()
        else:
            reads: tuple[Act, ...] = (self._read_one, self._read_own, self._read_document, self._read_all)
            self._random.choices((*reads, self._read_by_task), (30, 30, 28, 9, 3))[0]()

    def pause(self) -> None:
        """Think about the answer."""
        time.sleep(self._random.random() * LONGEST_THOUGHT_SECONDS)

    def _read_one(self) -> None:
        self._get(f"/read/{self._random.choice(self._registers)}")

    def _read_own(self) -> None:
        recent = self._written[-RECENT_WRITES:] or self._registers
        self._get(f"/read/{self._random.choice(recent)}")

    def _read_document(self) -> None:
        self._get(f"/document/{self._random.choice((self.document, *self._random.sample(self._documents, 2)))}")

    def _read_all(self) -> None:
        self._get("/list")

    def _read_by_task(self) -> None:
        key = self._random.choice(self._registers)
        self._observe(lambda: self._task("read", key), key, path="task")

    def _get(self, path: str) -> None:
        self._observe(lambda: self._request("GET", path)["values"], path, path="web")

    def _write(self) -> None:
        key = self._random.choice(self._registers)
        self._change(key, lambda: self._request("POST", f"/write/{key}", {})["version"], path="web")

    def _revise(self) -> None:
        if not self._read:
            self._read_one()
            return
        about = self._random.choice(sorted(self._read))
        fields = {"about": about, "basis": self._read[about]}
        path = f"/write-after-read/{self.document}"
        self._change(self.document, lambda: self._request("POST", path, fields)["version"], path="web")

    def _write_by_task(self) -> None:
        key = self._random.choice(self._registers)
        self._change(key, lambda: self._task("write", key), path="task")

    def _observe(self, ask: Callable[[], Any], what: str, path: str) -> None:
        """Read, and record every value of the answer."""
        started = time.monotonic()
        try:
            values = ask()
        except (requests.RequestException, RefusedError) as error:
            ended, answer = time.monotonic(), next(self._answers)
            failed = Operation(self.name, Kind.READ, what, 0, started, ended, answer, Outcome.FAILED, path=path)
            self._history.add([failed], _describe(error))
            return
        ended, answer = time.monotonic(), next(self._answers)
        operations = [
            Operation(
                actor=self.name,
                kind=Kind.READ,
                key=value["key"],
                version=value["version"],
                started=started,
                ended=ended,
                answer=answer,
                step=value["step"],
                follows=tuple(value["follows"]) if "follows" in value else None,
                server=value["server"],
                path=path,
            )
            for value in values
        ]
        for operation in operations:
            if operation.key in self._registers:
                self._read[operation.key] = operation.version
        self._history.add(operations)

    def _change(self, key: str, ask: Callable[[], int], path: str) -> None:
        """Write, record it, and often look at the result next, as a browser does that is redirected to it."""
        started = time.monotonic()
        version, outcome, error = 0, Outcome.OK, None
        try:
            version = ask()
        except (requests.RequestException, RefusedError) as refused:
            outcome, error = Outcome.UNKNOWN, _describe(refused)
        ended, answer = time.monotonic(), next(self._answers)
        written = Operation(self.name, Kind.WRITE, key, version, started, ended, answer, outcome, path=path)
        self._history.add([written], error)
        if key in self._registers:
            self._written.append(key)
        if error is None and (self.style is not Style.CREDENTIALS or self._random.random() < 1 / 2):
            self._next.append(lambda: self._get(f"/document/{key}" if key == self.document else f"/read/{key}"))

    def _task(self, kind: str, key: str) -> Any:
        """Have a worker do it, and ask for the result until it is there."""
        identifier = self._request("POST", f"/enqueue/{kind}/{key}", {})["task"]
        deadline = time.monotonic() + TASK_SECONDS
        while time.monotonic() < deadline:
            told = self._request("GET", f"/task/{identifier}")
            if told["state"] == "done":
                return told["result"]
            if told["state"] == "failed":
                raise RefusedError(f"task {kind} failed")
            time.sleep(POLL_SECONDS)
        raise RefusedError(f"task {kind} did not end in {TASK_SECONDS:g} s")

    def _request(self, method: str, path: str, fields: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(
            method, self._url + path, data=fields, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return None
        if answer.status_code not in {HTTPStatus.OK, HTTPStatus.SEE_OTHER}:
            raise RefusedError(f"{method} /{path.split('/')[1]} answered {answer.status_code}")
        return answer.json()


def _describe(error: Exception) -> str:
    return str(error) if isinstance(error, RefusedError) else type(error).__name__
