"""The connection on which an agent reads the policy and writes counts: its own, and never routed."""

import logging
import selectors
import socket
from contextlib import suppress

from django.db import connections, router

from rollout.models import RoutingRule
from rollout.models.revision import CHANNEL
from routers.apart import connection_apart

logger = logging.getLogger("readshift")

CONNECT_TIMEOUT_SECONDS = 5
UNACKNOWLEDGED_TIMEOUT_MS = 10_000


def control_alias() -> str:
    """Return the alias of the database that holds the rules, asking the host's routers."""
    return router.db_for_write(RoutingRule)


class ControlConnection:
    """A connection of this thread alone, outside any pool: it is held for as long as the process lives.

    While it is open, this thread's ORM queries on the alias use it too. A dead primary is an error within seconds.
    """

    def __init__(self) -> None:
        self.alias = control_alias()
        self._wrapper = connection_apart(
            self.alias, connect_timeout=CONNECT_TIMEOUT_SECONDS, tcp_user_timeout=UNACKNOWLEDGED_TIMEOUT_MS
        )
        self._alarm, self._bell = socket.socketpair()
        connections[self.alias] = self._wrapper

    def close(self) -> None:
        """Close it, and give this thread an ordinary connection again when it next asks for one."""
        del connections[self.alias]
        self._wrapper.close()
        self._alarm.close()
        self._bell.close()

    def listen(self) -> None:
        """Connect, and subscribe to new revisions unless a pooler is in between. Polling has to do there.

        The subscription would stay with a server process that serves other clients next. PgBouncer (1.18) takes a
        notification that arrives while it prepares the process for one of them for the end of that preparation, and
        gives the client the answer to another question from then on.
        """
        with self._wrapper.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
            # A pooler answers whoever connects before it has a server for him, with a number of its own making.
            if pid == self._wrapper.connection.info.backend_pid:
                cursor.execute(f"LISTEN {CHANNEL}")
            else:
                logger.info("A pooler is in front of %r, so changes are found by polling.", self.alias)

    def wait_for_notification(self, timeout: float) -> None:
        """Return at the first notification, after `wake()`, or after `timeout` seconds."""
        # One may have arrived together with the answer to another statement; then nothing is left to wake up for.
        if self._take_notifications():
            return
        with selectors.DefaultSelector() as selector:
            selector.register(self._wrapper.connection.fileno(), selectors.EVENT_READ)
            selector.register(self._alarm, selectors.EVENT_READ)
            selector.select(timeout)
        self._take_notifications()

    def _take_notifications(self) -> bool:
        return bool(list(self._wrapper.connection.notifies(timeout=0)))

    def wake(self) -> None:
        """End the wait of another thread. One that has just closed this connection waits no more."""
        with suppress(OSError):
            self._bell.send(b"\0")
