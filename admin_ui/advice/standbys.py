"""How long replicas let a read hold up their replay before they cancel it, asked of the replicas themselves."""

import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

from routers.libpq import DeadlineError
from routers.probe import ask_once

logger = logging.getLogger("readshift")

_QUESTION = """
SELECT setting, current_setting('hot_standby_feedback') FROM pg_settings WHERE name = 'max_standby_streaming_delay'
"""
_SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class Patience:
    """What one replica does about a read that replay has to wait for.

    seconds: how long replay waits until the read is cancelled (`max_standby_streaming_delay`); None is for ever.
    gives_feedback: whether the primary keeps old rows for its reads (`hot_standby_feedback`), so that few conflict.
    """

    alias: str
    seconds: float | None
    gives_feedback: bool


def ask_replicas(aliases: Collection[str], timeout: float) -> tuple[Patience, ...]:
    """Return what those replicas say that answer within so many seconds, all asked at the same time.

    Raises nothing that a server can cause.
    """
    with ThreadPoolExecutor(max(len(aliases), 1), "readshift-advice") as threads:
        return tuple(filter(None, threads.map(lambda alias: _ask(alias, timeout), aliases)))


def _ask(alias: str, timeout: float) -> Patience | None:
    try:
        delay, feedback = ask_once(alias, _QUESTION, timeout)
    except (psycopg.Error, DeadlineError, OSError) as error:
        logger.warning("%r did not say how long its reads may hold up replay: %s", alias, error)
        return None
    milliseconds = int(delay or 0)
    return Patience(alias, None if milliseconds < 0 else milliseconds / _SECOND_MS, feedback == "on")
