"""How long replicas let a read hold up their replay before they cancel it, asked of the replicas themselves."""

import logging
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError

from routers.apart import connection_apart

logger = logging.getLogger("readshift")

_CONNECT_TIMEOUT_SECONDS = 2
_QUESTION = """
SELECT current_setting('hot_standby_feedback')::boolean, setting::bigint
FROM pg_settings WHERE name = 'max_standby_streaming_delay'
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


def ask_replicas(aliases: Iterable[str]) -> tuple[Patience, ...]:
    """Return what those replicas say that answer. Raises nothing that a server can cause."""
    return tuple(patience for alias in aliases if (patience := _ask(alias)) is not None)


def _ask(alias: str) -> Patience | None:
    connection = connection_apart(alias, connect_timeout=_CONNECT_TIMEOUT_SECONDS)
    try:
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(_QUESTION)
            feedback, milliseconds = cursor.fetchone()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("%r did not say how long its reads may hold up replay: %s", alias, error)
        return None
    return Patience(alias, None if milliseconds < 0 else milliseconds / _SECOND_MS, feedback)
