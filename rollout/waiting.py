"""How long a transaction waits for rows that others hold."""

from django.db import OperationalError, connections

_LOCK_NOT_AVAILABLE = "55P03"


def limit_waiting(using: str, seconds: float) -> None:
    """Let the present transaction wait no longer than this for any one lock. Then the database raises."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"])


def has_waited_in_vain(error: OperationalError) -> bool:
    """Say whether an error is that of a lock that was not to be had in this time."""
    return getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE
