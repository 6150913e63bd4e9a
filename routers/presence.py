"""The row by which a process tells that it lives, and which revision it acts on."""

import logging
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from django.db import DatabaseError
from django.utils import timezone

from rollout.models import Process
from rollout.models.process import Identity
from rollout.settings import get_settings

logger = logging.getLogger("readshift")


class Presence:
    """Writes the row of this process, on the agent's thread. A row that cannot be written is logged and tried again at
    the next heartbeat: nobody's policy waits for it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._identity = _identify()
        self._revision: int | None = None
        self._told_at = float("-inf")

    def announce(self, alias: str) -> None:
        """Tell that this process lives, before it reads the policy.

        Whoever changes the policy later finds the row and waits for this process, and what was changed before is read.
        Rows are made only here, so it suffices to remove here those that others left behind.
        """
        if self._write(alias):
            self._attempt(lambda: Process.objects.forget_silent(get_settings().longest_absence_seconds, alias))

    def tell(self, alias: str, revision: int) -> None:
        """Tell that this process acts on a revision, unless that was told within the last heartbeat."""
        is_due = self._clock() - self._told_at >= get_settings().heartbeat_seconds
        if is_due or revision != self._revision:
            self._revision = revision
            self._write(alias)

    def leave(self, alias: str) -> None:
        """Delete the row. Should this process go on, it is another one to everybody else."""
        self._attempt(lambda: Process.objects.using(alias).filter(key=self._identity.key).delete())
        self._begin()

    def after_fork(self) -> None:
        """Let the child have a row of its own."""
        self._begin()

    def _write(self, alias: str) -> bool:
        self._told_at = self._clock()
        return self._attempt(lambda: Process.objects.tell(self._identity, self._revision, alias))

    def _attempt(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except DatabaseError as error:
            logger.warning(
                "%s could not tell which revision it acts on, so it is not waited for. Was migrate run? %s",
                self._identity.service,
                error,
            )
            return False
        return True


def _identify() -> Identity:
    service = Path(sys.argv[0] if sys.argv else "").name
    if service == "__main__.py":
        # Python was started with -m, and the package says what the program is.
        service = Path(sys.argv[0]).parent.name
    return Identity(uuid4(), platform.node()[:255], os.getpid(), (service or "python")[:100], timezone.now())
