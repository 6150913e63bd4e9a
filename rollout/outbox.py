"""Hands things to a thread that sends them away, so that nobody waits for whoever receives them."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger("readshift")

Thing = TypeVar("Thing")

_CAPACITY = 100


class Outbox(Generic[Thing]):
    """A queue and its thread, which the first thing starts in each process. What finds it full is dropped and counted.

    send: delivers one thing. What it raises is logged, and the thing is given up: the record of events has it.
    """

    def __init__(self, name: str, send: Callable[[Thing], None], capacity: int = _CAPACITY) -> None:
        self.dropped = 0
        self._name = name
        self._send = send
        self._capacity = capacity
        self._thread: threading.Thread | None = None
        self.after_fork()

    def put(self, thing: Thing) -> None:
        """Have a thing sent. Returns at once."""
        with self._lock:
            if self._left >= self._capacity:
                self.dropped += 1
                logger.warning("Readshift's %s takes no more: %d dropped so far.", self._name, self.dropped)
                return
            self._left += 1
            self._queue.put(thing)
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=f"readshift-{self._name}", daemon=True)
                thread.start()
                self._thread = thread

    def flush(self, until: float) -> bool:
        """Wait until all is sent, or the monotonic clock says `until`. Returns whether all was."""
        with self._emptied:
            return self._emptied.wait_for(lambda: not self._left, max(0.0, until - time.monotonic()))

    def after_fork(self) -> None:
        """Let a child start a thread of its own. What its parent is about to send, the parent sends."""
        self._queue: queue.SimpleQueue[Thing] = queue.SimpleQueue()
        self._left = 0
        self._lock = threading.Lock()
        self._emptied = threading.Condition(self._lock)
        self._thread = None

    def _run(self) -> None:
        while True:
            thing = self._queue.get()
            try:
                self._send(thing)
            except Exception as error:  # noqa: BLE001 - mail backends and servers fail in any way they like
                logger.warning("Readshift's %s could not send a notice: %s.", self._name, type(error).__name__)
            with self._emptied:
                self._left -= 1
                self._emptied.notify_all()
