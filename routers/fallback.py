"""How much of the replicas' load the primary takes over when they fail, and what happens to the rest."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.utils import OperationalError

from rollout.settings import get_settings
from routers.unit import Unit


class ShedError(OperationalError):
    """A read was refused, because no replica may serve it and the primary must not be asked to.

    A request answers 503 with Retry-After; elsewhere, code may try again after `retry_after` seconds. It is a class of
    Django's, for what handles a database that is down handles this as well.
    """

    def __init__(self, model: str, endpoint: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"Refused to read {model} at {endpoint!r}: no replica may serve it, the fallback budget is used up, and "
            f"its rule says to shed it. Try again in {retry_after} s, or raise FALLBACK_SHARE or FALLBACK_CONCURRENCY."
        )


class Budget:
    """What one process may let fall back to the primary.

    Every unit that has a read routed adds the share to a credit of at most one unit, and one that falls back takes one
    unit away. So of any n units, no more than one and the share of n fall back, whatever the load is.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._credit = 1.0
        self._running = 0

    def allows(self, unit: Unit, *, falls_back: bool, share: float | None, concurrency: int | None) -> bool:
        """Account for a read of this unit, and say whether it goes on. A unit that falls back is judged once.

        share, concurrency: `FALLBACK_SHARE` and `FALLBACK_CONCURRENCY`.
        """
        if share is None and concurrency is None:
            return True
        with self._lock:
            if not unit.is_accounted:
                unit.is_accounted = True
                self._credit = min(1.0, self._credit + (share or 0.0))
            if falls_back and unit.may_fall_back is None:
                has_credit = share is None or self._credit >= 1
                unit.may_fall_back = has_credit and (concurrency is None or self._running < concurrency)
                if unit.may_fall_back and share is not None:
                    self._credit -= 1
        return not falls_back or unit.may_fall_back is True

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count a read that fell back while the primary runs it."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def after_fork(self) -> None:
        """Begin anew in a child: what runs in the parent runs there."""
        self._lock = threading.Lock()
        self._running = 0


def may_fall_back(unit: Unit) -> bool:
    """Say whether the primary may take a read of this unit over."""
    return _allows(unit, falls_back=True)


def account(unit: Unit) -> None:
    """Take down that this unit has a read routed, so that so many more may fall back."""
    _allows(unit, falls_back=False)


def _allows(unit: Unit, *, falls_back: bool) -> bool:
    settings = get_settings()
    return budget.allows(
        unit, falls_back=falls_back, share=settings.fallback_share, concurrency=settings.fallback_concurrency
    )


budget = Budget()
"""The budget of this process."""


def connect() -> None:
    """Tie the budget to the process. Called once, when the apps are ready."""
    os.register_at_fork(after_in_child=budget.after_fork)
