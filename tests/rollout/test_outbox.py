"""The queue between a change and those who are told of it."""

import logging
import os
import time
from collections.abc import Iterator
from threading import Event

import pytest

from demo.waiting import wait_until
from rollout.outbox import Outbox

PATIENCE_SECONDS = 20.0


def soon() -> float:
    return time.monotonic() + PATIENCE_SECONDS


@pytest.fixture
def gate() -> Iterator[Event]:
    """What a receiver waits for that hangs. It is open at the end, so that no thread stays behind."""
    opened = Event()
    yield opened
    opened.set()


def test_everything_is_sent_in_order() -> None:
    sent: list[int] = []
    outbox = Outbox("test", sent.append)
    for number in range(50):
        outbox.put(number)
    assert outbox.flush(soon())
    assert sent == list(range(50))


def test_a_receiver_that_hangs_holds_up_nobody_and_what_does_not_fit_is_dropped_and_counted(
    gate: Event, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[int] = []

    def send(number: int) -> None:
        gate.wait()
        sent.append(number)

    outbox = Outbox("test", send, capacity=3)
    for number in range(5):
        outbox.put(number)
    assert (outbox.dropped, sent) == (2, [])
    assert "takes no more: 2 dropped so far" in caplog.text
    assert not outbox.flush(time.monotonic())
    gate.set()
    assert outbox.flush(soon())
    assert sent == [0, 1, 2]


def test_a_receiver_that_fails_costs_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[float] = []
    outbox = Outbox[int]("test", lambda number: sent.append(1 / number))
    for number in (0, 1):
        outbox.put(number)
    assert outbox.flush(soon())
    assert sent == [1.0]
    assert caplog.record_tuples == [
        ("readshift", logging.WARNING, "Readshift's test could not send a notice: ZeroDivisionError.")
    ]


def test_a_child_sends_its_own_and_nothing_of_its_parent(gate: Event, tmp_path) -> None:
    def send(name: str) -> None:
        if name == "parent":
            gate.wait()
        (tmp_path / f"{name}-{os.getpid()}").touch()

    outbox = Outbox("test", send)
    outbox.put("parent")
    outbox.put("parent")
    child = os.fork()
    if not child:
        gate.set()
        outbox.after_fork()
        outbox.put("child")
        os._exit(0 if outbox.flush(soon()) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"child-{child}"]
    gate.set()
    wait_until((tmp_path / f"parent-{os.getpid()}").exists, PATIENCE_SECONDS, "the parent's own to be sent")
