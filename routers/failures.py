"""What an error says about the replica that a read was sent to. Pure: an exception in, a verdict out."""

import re
from dataclasses import dataclass

from django.db.utils import OperationalError
from psycopg.errors import ConnectionTimeout

from rollout.reasons import Cause


@dataclass(frozen=True, slots=True)
class Failure:
    """A read that another server can answer. is_replica_fault: others would not be answered either."""

    cause: Cause
    is_replica_fault: bool


_POOL = Failure(Cause.POOL, is_replica_fault=False)
_CONFLICT = Failure(Cause.CONFLICT, is_replica_fault=False)
_ENDED = Failure(Cause.ENDED, is_replica_fault=True)

_BY_STATE = {
    "57P01": _ENDED,  # a shutdown, or an administrator who ends one connection: the server says the same of both
    "57P02": _ENDED,  # another process of the server crashed
    "57P03": Failure(Cause.REFUSED, is_replica_fault=True),  # it starts up or shuts down
    "57P05": Failure(Cause.ENDED, is_replica_fault=False),  # idle_session_timeout
    "53300": _POOL,
    # On a standby only replay changes anything, so only replay conflicts with a read.
    "40001": _CONFLICT,
    "40P01": _CONFLICT,
    "57P04": _CONFLICT,  # the database was dropped
}
_CONNECTION_FAILS = "08"

# libpq hides the SQLSTATE of a refusal, and PgBouncer gives 08P01 for all that it says itself. Told in another
# language, a full server counts as one that refuses: its reads are answered all the same.
_NO_CONNECTION_IS_FREE = re.compile(
    r"too many clients already"
    r"|remaining connection slots are reserved"
    r"|too many connections for (role|database)"
    r"|no more connections allowed"
    r"|query_wait_timeout"
)
# These words are psycopg's own, and never translated.
_NO_CONNECTION_CAME_ABOUT = re.compile(r"connection failed|connection is bad|failed to resolve host")


def failure_of(error: Exception) -> Failure | None:
    """Return what this error says about the replica that caused it, or None if the code that asked must see it.

    A timeout that the host set for its statements (57014) or locks (55P03) says nothing about the server. Nor does
    Django's InterfaceError: what psycopg raises as such, for a cursor that is closed, is a mistake in the code.
    """
    if not isinstance(error, OperationalError):
        return None
    cause = error.__cause__
    state: str | None = getattr(cause, "sqlstate", None)
    # By name, because the package is installed only where pools are used.
    if type(cause).__module__ == "psycopg_pool":
        return _POOL
    if state is not None and not state.startswith(_CONNECTION_FAILS):
        return _BY_STATE.get(state)
    words = str(error)
    if _NO_CONNECTION_IS_FREE.search(words):
        return _POOL
    is_refused = isinstance(cause, ConnectionTimeout) or _NO_CONNECTION_CAME_ABOUT.match(words)
    return Failure(Cause.REFUSED if is_refused else Cause.LOST, is_replica_fault=True)
