"""Carries captured reads to the primary and tells a worker of them, in a thread that nothing waits for."""

import atexit
import logging
import os
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import closing

from celery import current_app
from django.db import DatabaseError, InterfaceError

from rollout.models import ShadowRead
from rollout.outcomes import CaptureFate
from rollout.settings import Refresh, refresh
from routers.capture import Capture, CapturedRead, Source, capture
from routers.control import ControlConnection, control_alias
from routers.own_work import own_work
from routers.statements import fingerprint, outline

logger = logging.getLogger("readshift")

COMPARE = "readshift.compare"
"""The name of the task that is told of a batch."""

_BATCH = 50
_PAUSE_SECONDS = 1.0
"""Nobody waits for a comparison, and each delivery takes the interpreter from requests for some milliseconds."""

_LONGEST_PAUSE_SECONDS = 10.0
_LONGEST_OUTLINE = 2_000
_STOP_SECONDS = 2.0


class Courier:
    """One thread and one connection of a process, from its first captured read on.

    What the primary does not take is dropped and counted: nothing that observes may fill the memory or hold up others.
    What the broker does not take is found by the next schedule.
    """

    def __init__(self, captured: Capture) -> None:
        self._captured = captured
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start the thread unless it runs. Cheap, so that every captured read can call it."""
        if self._thread is not None or refresh() is not Refresh.BACKGROUND:
            return
        # Two first reads must not start two threads.
        with self._lock:
            if self._thread is None:
                self._stopping = threading.Event()
                self._thread = threading.Thread(target=self._run, name="readshift-courier", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Have the thread deliver what is left, and end it. A broker that hangs is not waited for."""
        thread = self._thread
        self._stopping.set()
        if thread is not None:
            thread.join(_STOP_SECONDS)
            self._thread = None

    def after_fork(self) -> None:
        """Let the child start a thread of its own."""
        self._lock = threading.Lock()
        self._thread = None
        self._captured.forget()

    def deliver(self) -> None:
        """Deliver everything that was captured, through this thread's connection. Raises what the database raises."""
        while reads := self._captured.take(_BATCH):
            try:
                batch, ids = _write(reads)
            except Exception:
                self._note(reads, CaptureFate.NOT_WRITTEN)
                raise
            try:
                _send(batch, ids)
            except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
                self._note(reads, CaptureFate.NOT_SENT)
                logger.warning("The broker took no message about captured reads: %s", type(error).__name__)

    def _note(self, reads: Iterable[CapturedRead], fate: CaptureFate) -> None:
        counts: Counter[Source] = Counter(read.source for read in reads)
        for source, count in counts.items():
            self._captured.note(source, fate, count)

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                with own_work(), closing(ControlConnection()):
                    self._serve()
            except (DatabaseError, InterfaceError, OSError) as error:
                # Never the same for two processes: a primary that comes back must not meet all of them at once.
                pause = min(_LONGEST_PAUSE_SECONDS, max(0.5, pause * 2)) * random.uniform(0.5, 1)  # noqa: S311
                logger.warning(
                    "Captured reads could not be written, and were dropped: %s. The next are tried in %.1f s.",
                    type(error).__name__,
                    pause,
                )
            except Exception:
                pause = _LONGEST_PAUSE_SECONDS
                logger.exception("Readshift's courier failed, and starts again in %.0f s.", pause)
            else:
                return

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self.deliver()
            self._stopping.wait(_PAUSE_SECONDS)
        self.deliver()


def _write(reads: Iterable[CapturedRead]) -> tuple[uuid.UUID, list[int]]:
    batch = uuid.uuid4()
    rows = ShadowRead.objects.using(control_alias()).bulk_create(_row(read, batch) for read in reads)
    return batch, [row.pk for row in rows]


def _row(read: CapturedRead, batch: uuid.UUID) -> ShadowRead:
    # Requests that wait for the interpreter go first.
    time.sleep(0)
    return ShadowRead(
        batch=batch,
        captured_at=read.captured_at,
        fingerprint=fingerprint(read.sql),
        statement=outline(read.sql, _LONGEST_OUTLINE),
        position=read.position,
        sealed=read.statement.sealed(),
        **read.source._asdict(),
    )


def _send(batch: uuid.UUID, ids: list[int]) -> None:
    """Tell a worker. The message holds nothing of what was read, and a lost one is made up for."""
    current_app.send_task(COMPARE, args=[str(batch), ids], retry=False, ignore_result=True)


courier = Courier(capture)
"""The courier of this process."""


def connect() -> None:
    """Tie the courier to the process. Called once, when the apps are ready."""
    capture.on_captured = courier.start
    os.register_at_fork(after_in_child=courier.after_fork)
    atexit.register(courier.stop)
