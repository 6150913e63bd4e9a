"""Counts of units in memory, by what they are counted under, until the agent writes them."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from django.db.models import Model
from django.utils import timezone

Key = TypeVar("Key")
Counted = TypeVar("Counted")


class UnitCounts(ABC, Generic[Key, Counted]):
    """What one process has counted. Whoever reads or changes `_counted` holds `_lock`.

    model: the rows that it is stored as.
    """

    model: type[Model]

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[Key, Counted] = {}

    def take(self) -> Mapping[Key, Counted]:
        """Return the counts and start again from nothing."""
        with self._lock:
            counted, self._counted = self._counted, {}
        return counted

    def write(self, using: str) -> None:
        """Store the counts. Those that cannot be written are kept. Raises what the database raises."""
        taken = self.take()
        if not taken:
            return
        try:
            self.model._default_manager.using(using).bulk_create(self.rows(taken, timezone.now()), batch_size=1000)
        except Exception:
            self.give_back(taken)
            raise

    def connect(self) -> None:
        """Tie the counts to the process. Called once, when the apps are ready."""
        os.register_at_fork(after_in_child=self.after_fork)

    def after_fork(self) -> None:
        """Begin anew in a child. What the parent counted it writes itself."""
        self._lock = threading.Lock()
        self._counted = {}

    @abstractmethod
    def give_back(self, taken: Mapping[Key, Counted]) -> None:
        """Add counts again that could not be written."""

    @abstractmethod
    def rows(self, taken: Mapping[Key, Counted], now: datetime) -> Iterable[Model]:
        """Return the rows that store these counts."""
