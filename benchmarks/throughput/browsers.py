"""Visitors who ask the project for pages in its own process, through WSGI as a web server does.

Without the network and a web server between them, a page costs the clients little more than what Django does for it.
"""

import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import urlencode

from benchmarks.throughput.mix import REVIEW
from demo.visitors import Visitor, fault_of, fields_of, path_of

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]

_CSRF = "x" * 32
"""Any will do, if the cookie and the header agree."""


@dataclass(slots=True)
class Cookies:
    """What one visitor's browser keeps."""

    values: dict[str, str] = field(default_factory=dict)

    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.values.items())

    def take(self, headers: Sequence[tuple[str, str]]) -> None:
        """Keep what an answer sets, and forget what it deletes."""
        for name, text in headers:
            if name.lower() == "set-cookie":
                for key, morsel in SimpleCookie(text).items():
                    if str(morsel["max-age"]) == "0":
                        self.values.pop(key, None)
                    else:
                        self.values[key] = morsel.coded_value


class Browsers:
    """All visitors of one process: guests, told apart by what they send, and customers who have signed in.

    numbers: of the guests. sessions: the customers' session keys. slugs: the products that all of them know.
    """

    def __init__(
        self, application: Application, numbers: Sequence[int], sessions: Sequence[str], slugs: Sequence[str]
    ) -> None:
        self._application = application
        self._guests = [f"guest-{number}" for number in numbers]
        # Of guests, only those have a place in it who were here.
        self._cookies = {f"customer-{key}": Cookies({"sessionid": key, "csrftoken": _CSRF}) for key in sessions}
        self._customers = list(self._cookies)
        self._knowledge = Visitor("everybody", customer=True, products=deque(slugs))

    def visit(self, endpoint: str, customers: float, dice: Random) -> str | None:
        """Have somebody ask for a page, and return what was wrong with the answer.

        customers: which share of those who read have signed in. Only they write.
        """
        is_post = endpoint == REVIEW
        name = dice.choice(self._customers if is_post or dice.random() < customers else self._guests)
        cookies = self._cookies.setdefault(name, Cookies())
        fields = urlencode(fields_of(endpoint, self._knowledge, dice))
        status, headers = self._ask(
            "POST" if is_post else "GET", path_of(endpoint, self._knowledge, dice), fields, name, cookies
        )
        cookies.take(headers)
        location = next((value for key, value in headers if key == "Location"), "")
        return fault_of("POST" if is_post else "GET", status, location)

    def _ask(
        self, method: str, path: str, fields: str, name: str, cookies: Cookies
    ) -> tuple[int, list[tuple[str, str]]]:
        answered: list[tuple[int, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            answered.append((int(status.partition(" ")[0]), headers))

        body = self._application(_environ(method, path, fields, name, cookies.header()), start_response)
        try:
            for _ in body:
                pass
        finally:
            # The request ends with it, for Django and for a router alike.
            body.close()
        return answered[-1]


def _environ(method: str, path: str, fields: str, name: str, cookies: str) -> dict[str, Any]:
    """Return a request as PEP 3333 has it."""
    body = fields.encode() if method == "POST" else b""
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": fields if method == "GET" else "",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_USER_AGENT": name,
        "HTTP_COOKIE": cookies,
        "HTTP_X_CSRFTOKEN": _CSRF,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
