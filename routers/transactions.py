"""Whether a connection is in a transaction."""

from collections.abc import Collection

from django.db import connections

from routers.overriding import blocks_of_test_case, overriding


def in_transaction(alias: str, disregarded: Collection[str] = ()) -> bool:
    """Say whether this thread's connection is in a transaction that reads may depend on.

    disregarded: aliases where the outermost block does not count. It is the one that ATOMIC_REQUESTS opens around a
    view: until the unit writes, which is another matter, nothing in it is invisible to others. `get_autocommit()` is
    not used, because it opens a connection.
    """
    connection = connections[alias]
    if not connection.settings_dict["AUTOCOMMIT"]:
        return True
    if connection.connection is not None and not connection.autocommit and not connection.in_atomic_block:
        return True
    blocks = len(connection.atomic_blocks)
    if overriding.is_confined(alias):
        blocks -= blocks_of_test_case(alias)
    return connection.in_atomic_block and blocks > (alias in disregarded)
