"""Saves waffle's flags, switches and samples whether or not the cache answers in which waffle keeps copies of them.

Decisions are taken from the database. Waffle throws its copies away after the commit, and what that raises would tell
whoever made the change that it had failed; a cache that hangs would hold them up.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

logger = logging.getLogger("readshift")

_LONGEST_FLUSH_SECONDS = 1.0


def save_gate(row: Any) -> None:
    """Save a row of waffle's. Its copies in the cache are thrown away if the cache lets them be."""
    flush = row.flush
    row.flush = lambda: _within_a_second(flush)
    try:
        row.save()
    finally:
        # The row may end up in a cache itself, where a function cannot follow it.
        del row.flush


def _within_a_second(flush: Callable[[], object]) -> None:
    thread = threading.Thread(target=_try, args=(flush,), name="readshift-flush", daemon=True)
    thread.start()
    thread.join(_LONGEST_FLUSH_SECONDS)
    if thread.is_alive():
        logger.warning("The cache takes long to forget a waffle gate that was changed. Rules follow it all the same.")


def _try(flush: Callable[[], object]) -> None:
    try:
        flush()
    except Exception as error:  # noqa: BLE001 - each kind of cache has errors of its own
        logger.warning(
            "The cache did not forget a waffle gate that was changed: %s. Rules follow it all the same; code that asks "
            "waffle itself sees it once the copy in the cache expires.",
            type(error).__name__,
        )
    finally:
        # A cache that lives in a database was asked through a connection of this thread.
        connections.close_all()
