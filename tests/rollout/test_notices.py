"""Notices of events, by mail and by a real HTTP server."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from demo.waiting import wait_until
from rollout import acting, notices
from rollout.acting import Acting
from rollout.models import Door, Event, GateKind, Mode
from rollout.rollback import roll_back_all, roll_back_rule
from rollout.signing import HEADER, verify
from tests.rollout.support import TIMEOUT_SECONDS, create_flag
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "s" * 32


@dataclass
class Receiver:
    """A server that takes what is posted to it: body and headers."""

    address: str
    taken: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.taken) >= count, TIMEOUT_SECONDS, f"{count} notices")
        return [json.loads(body) for body, _ in self.taken]


@contextmanager
def receiving(status: int = 200, **headers: str) -> Iterator[Receiver]:
    receiver = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            receiver.taken.append((body, dict(self.headers)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name is that of http.server

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.address = f"http://127.0.0.1:{server.server_port}/hook"
        Thread(target=server.serve_forever, daemon=True).start()
        yield receiver
        server.shutdown()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def configure(settings: Any, **options: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, **options}


def test_a_rollback_is_mailed_and_posted(settings: Any, receiver: Receiver, servers: Servers) -> None:
    configure(settings, NOTIFY_URL=receiver.address, NOTIFY_EMAILS=["b@example.com", "a@example.com"])
    create_flag("checkout", percent=50)
    rule = route(gate=(GateKind.FLAG, "checkout"))
    with acting.acting(Acting(Door.DASHBOARD, lambda: "ada", "errors doubled")):
        roll_back_rule(rule, "default")
    (told,) = receiver.wait_for(1)
    wait_until(lambda: len(mail.outbox) == 1, TIMEOUT_SECONDS, "the mail")
    (sent,) = mail.outbox
    assert sent.to == ["a@example.com", "b@example.com"]
    assert sent.subject == told["title"] == "Readshift: flag checkout changed by ada, reads taken back to the primary"
    assert sent.body == told["text"]
    assert "why: errors doubled" in sent.body
    event = told["event"]
    assert (event["who"], event["door"], event["before"], event["after"]) == (
        "ada",
        "dashboard",
        {"everyone": None},
        {"everyone": False},
    )
    assert event["id"] == Event.objects.latest("pk").pk


def test_what_is_posted_is_signed_if_there_is_a_secret(settings: Any, receiver: Receiver, servers: Servers) -> None:
    configure(settings, NOTIFY_URL=receiver.address, WEBHOOK_SECRETS=[SECRET])
    roll_back_all("default")
    receiver.wait_for(1)
    ((body, headers),) = receiver.taken
    assert verify(headers[HEADER], body, [SECRET], time.time())
    assert headers["Content-Type"] == "application/json"


def test_nobody_is_told_of_what_was_not_committed_or_is_not_notable(
    settings: Any, receiver: Receiver, servers: Servers
) -> None:
    configure(settings, NOTIFY_URL=receiver.address)
    rule = route(mode=Mode.ROUTE)
    with transaction.atomic():
        roll_back_rule(rule, "default")
        transaction.set_rollback(True)
    rule.refresh_from_db()
    route("names", mode=Mode.OBSERVE)
    roll_back_all("default")
    assert [told["event"]["subject"] for told in receiver.wait_for(1)] == ["readshift"]


def test_a_receiver_that_hangs_holds_up_no_change_and_no_mail(settings: Any, servers: Servers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        address = f"http://127.0.0.1:{hanging.getsockname()[1]}/"
        configure(settings, NOTIFY_URL=address, NOTIFY_EMAILS=["a@example.com"])
        roll_back_all("default")
        # The change is done while the receiver has taken the connection and answered nothing.
        assert notices.posts.flush(time.monotonic()) is False
        wait_until(lambda: len(mail.outbox) == 1, TIMEOUT_SECONDS, "the mail")
    # What the server's end refused is given up, and the way is free for the next.
    assert notices.posts.flush(time.monotonic() + TIMEOUT_SECONDS)


def test_a_receiver_that_refuses_or_sends_elsewhere_costs_a_log_line(
    settings: Any, servers: Servers, caplog: pytest.LogCaptureFixture, receiver: Receiver
) -> None:
    with receiving(302, Location=receiver.address) as elsewhere:
        configure(settings, NOTIFY_URL=elsewhere.address)
        roll_back_all("default")
        elsewhere.wait_for(1)
        assert notices.posts.flush(time.monotonic() + TIMEOUT_SECONDS)
    assert "notifier could not send a notice: HTTPError" in caplog.text
    assert receiver.taken == []


COMMAND = """
import sys, time
from pathlib import Path
from django.core.mail.backends.filebased import EmailBackend
from tests import worker_settings

class Slow(EmailBackend):
    def send_messages(self, messages):
        while not (Path(self.file_path) / "go").exists():
            time.sleep(0.01)
        return super().send_messages(messages)

if hasattr(worker_settings, "MAILERS"):
    slow = {"BACKEND": "__main__.Slow", "OPTIONS": {"file_path": sys.argv[1]}}
    worker_settings.MAILERS = {"default": slow}
else:
    worker_settings.EMAIL_BACKEND = "__main__.Slow"
    worker_settings.EMAIL_FILE_PATH = sys.argv[1]
worker_settings.READSHIFT["NOTIFY_EMAILS"] = ["a@example.com"]
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "readshift", "rollback", "--all", "--why", "pager"])
"""


def test_a_command_that_is_done_stays_until_its_notice_is_out(servers: Servers, tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-u", "-c", COMMAND, str(tmp_path)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.worker_settings"},
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert "kill switch off" in command.stdout.readline()
        (tmp_path / "go").touch()
    assert command.returncode == 0
    (sent,) = tmp_path.glob("*.log")
    assert "why: pager" in sent.read_text()
