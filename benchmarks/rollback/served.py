"""What the servers themselves know of the catalogue's reads."""

from datetime import datetime
from typing import cast

from demo.cluster import Server
from demo.stack import DATABASE

TABLES = '"shop_'
"""What every statement on the shop's tables contains, as the ORM quotes them."""

# A connection that waits still tells which statement was its last, and when the server received it.
_LAST_READ = """
SELECT max(query_start) FROM pg_stat_activity
WHERE datname = %s AND strpos(query, %s) > 0 AND pid <> pg_backend_pid()
"""


def now(server: Server) -> datetime:
    """Return the time by the servers' clock, which is one: they share a machine."""
    ((at,),) = server.query("SELECT clock_timestamp()")
    return cast("datetime", at)


def reads(server: Server) -> int:
    """Return how many reads of the shop a server has run."""
    return sum(server.statements(TABLES).values())


def last_read(server: Server) -> datetime | None:
    """Return when a server received the last read of the shop that its open connections know of."""
    ((at,),) = server.query(_LAST_READ, [DATABASE, TABLES])
    return cast("datetime | None", at)
