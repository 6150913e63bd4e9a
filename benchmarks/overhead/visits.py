"""Requests that are answered within this process, by all of Django: signals, middleware, view."""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory


class VisitError(RuntimeError):
    """A request was not answered as it should be. The message says how it was."""


class Visits:
    """A client who asks for pages. `become` says who it is."""

    def __init__(self) -> None:
        self._cookies = ""
        self._wsgi = WSGIHandler()
        self._asgi = ASGIHandler()
        self._loop = asyncio.new_event_loop()
        self._environments: dict[str, dict[str, Any]] = {}

    def become(self, cookies: str) -> None:
        """Send these cookies along from now on, written as in a header."""
        self._cookies = cookies
        self._environments.clear()

    def close(self) -> None:
        """Let go of what requests under ASGI run in."""
        self._loop.close()

    def visit(self, path: str, times: int = 1) -> None:
        """Ask for a page through WSGI, so many times in a row. Raises `VisitError`."""
        if path not in self._environments:
            self._environments[path] = RequestFactory().get(path, headers={"cookie": self._cookies}).environ
        for _ in range(times):
            response = self._wsgi(dict(self._environments[path]), _start_response)
            for _ in response:
                pass
            # A server does so, and Django then tells everybody that the request is over.
            response.close()
            if response.status_code != HTTPStatus.OK:
                raise VisitError(f"{path} was answered with {response.status_code}.")

    def visit_async(self, path: str, times: int = 1) -> None:
        """Ask for a page through ASGI, so many times in a row. Raises `VisitError`."""
        self._loop.run_until_complete(self._repeat(path, times))

    async def _repeat(self, path: str, times: int) -> None:
        for _ in range(times):
            await self._ask(path)

    async def _ask(self, path: str) -> None:
        headers = [(b"host", b"127.0.0.1"), (b"cookie", self._cookies.encode())]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        status = 0
        bodies = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            # After the body, Django waits for the client to leave, which this one does not.
            return bodies.pop() if bodies else await self._loop.create_future()

        async def send(event: Mapping[str, Any]) -> None:
            nonlocal status
            status = event.get("status", status)

        await self._asgi(scope, receive, send)
        if status != HTTPStatus.OK:
            raise VisitError(f"{path} was answered with {status} under ASGI.")


def _start_response(_: str, __: list[tuple[str, str]], ___: object = None, /) -> Callable[[bytes], object]:
    """Take the status and the headers, as a server does."""
    return len
