"""Looks after rollout plans in every process that serves, so that a plan is taken back where no worker runs."""

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import Error
from django.utils import timezone

from rollout.watching import watch

logger = logging.getLogger("readshift")

PATIENCE = timedelta(seconds=4)
"""How long nobody may have looked at a plan before a process that serves does."""

_PAUSE_SECONDS = 3.0


class Watchman:
    """Of one process, for its agent's thread.

    Each look asks for plans that are overdue, which costs one query where there are none. Celery's schedule looks more
    often, so that usually there are none.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, dice: Callable[[], float] = random.random) -> None:
        self._clock, self._dice = clock, dice
        self._next_at = float("-inf")

    def look(self, using: str) -> None:
        """Take the next step of every plan that is overdue, unless this process has looked a moment ago.

        Raises what the database raises when it is gone. Anything else is logged: whatever a plan is like, the process
        must go on refreshing its policy.
        """
        if self._clock() < self._next_at:
            return
        # Never in step with others.
        self._next_at = self._clock() + _PAUSE_SECONDS * (0.5 + self._dice())
        try:
            watch(using, unless_since=timezone.now() - PATIENCE)
        except Error:
            raise
        except Exception:
            logger.exception("Plans could not be looked after. They hold until that is put right.")
