"""Sessions on a replica's alias that cannot write, at the server as well as here."""

import logging

from django.db.backends.base.base import BaseDatabaseWrapper

from routers.own_work import own_work

logger = logging.getLogger("readshift")

# Behind a transaction pooler, a session's settings stay with the server's connection, and so reach whoever gets it
# next: here, the clients that write. The process at the end of the connection is not the one that was introduced then.
_FORBID_WRITES = "SELECT set_config('default_transaction_read_only', 'on', false) WHERE pg_backend_pid() = %s"

_told: set[str] = set()


def forbid_writes(connection: BaseDatabaseWrapper) -> None:
    """Make sure that a new session on a replica's alias cannot write.

    A standby refuses writes by itself. A server that is not in recovery, such as a second alias for the primary in
    development or a promoted standby, is told to, unless a pooler shares its connections out: then a warning says what
    to do instead. PostgreSQL reports all facts by itself from version 14 on, so this costs a round trip only when there
    is something to set.
    """
    info = connection.connection.info
    reports = info.parameter_status
    if reports("in_hot_standby") == "on" or reports("default_transaction_read_only") == "on":
        return
    with own_work(), connection.cursor() as cursor:
        cursor.execute(_FORBID_WRITES, [info.backend_pid])
        is_set = cursor.fetchone() is not None
    if not is_set and connection.alias not in _told:
        _told.add(connection.alias)
        logger.warning(
            "The replica %r is no standby, and its sessions cannot be made read-only through a connection pooler: the "
            "setting would reach other clients. Give the alias a role of its own, with ALTER ROLE ... SET "
            "default_transaction_read_only = on.",
            connection.alias,
        )
