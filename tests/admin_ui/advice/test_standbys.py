"""What real replicas say of reads that hold up their replay."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from admin_ui.advice.standbys import Patience, ask_replicas
from demo.waiting import wait_until
from tests.support import Servers

TIMEOUT_SECONDS = 10


@contextmanager
def configured(servers: Servers, **settings: str) -> Iterator[None]:
    """Have the first replica run with other settings for a while."""
    replica = servers.cluster.replicas[0]
    for name, value in settings.items():
        replica.query(f"ALTER SYSTEM SET {name} = '{value}'")
    try:
        replica.query("SELECT pg_reload_conf()")
        yield
    finally:
        for name in settings:
            replica.query(f"ALTER SYSTEM RESET {name}")
        replica.query("SELECT pg_reload_conf()")


@pytest.mark.parametrize(("delay", "seconds"), [("1500ms", 1.5), ("-1", None)])
def test_replicas_tell_what_they_are_set_to(servers: Servers, delay: str, seconds: float | None) -> None:
    usual = ask_replicas(["replica1"], TIMEOUT_SECONDS)[0]
    with configured(servers, max_standby_streaming_delay=delay, hot_standby_feedback="on"):
        wait_until(
            lambda: (
                ask_replicas(["replica1"], TIMEOUT_SECONDS) == (Patience("replica1", seconds, gives_feedback=True),)
            ),
            TIMEOUT_SECONDS,
            "the settings to count",
        )
    wait_until(
        lambda: ask_replicas(["replica1"], TIMEOUT_SECONDS) == (usual,), TIMEOUT_SECONDS, "the usual settings to count"
    )


def test_one_that_does_not_answer_is_left_out(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "readshift"):
        assert not ask_replicas(["replica1"], 0)
    assert "did not say how long its reads may hold up replay: no answer within 0 s" in caplog.text


def test_those_that_hang_are_waited_for_together(servers: Servers) -> None:
    servers.checkpoint()
    for replica in servers.cluster.replicas:
        replica.hang()
    began = time.monotonic()
    try:
        assert not ask_replicas(["replica1", "replica2"], 1.5)
    finally:
        for replica in servers.cluster.replicas:
            replica.resume()
    assert time.monotonic() - began < 2.5
