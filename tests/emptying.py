"""Empties the database after a test that commits, of what is in it and of no more.

Django truncates every table there is, and then makes permissions and content types anew, which are as they were. With
some sixty tables that took longer than most of the tests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db.backends.base.base import BaseDatabaseWrapper

KEPT = frozenset({"auth_permission", "django_content_type"})
"""Tables that hold the same after every test: what `migrate` makes of the models."""


@contextmanager
def only_what_is_filled() -> Iterator[None]:
    """Have Django's command `flush` truncate the tables that hold rows, but those that `migrate` fills."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(flush, "sql_flush", _truncations)
        patched.setattr(flush, "emit_post_migrate_signal", lambda *_: None)
        yield


def _truncations(_: object, connection: BaseDatabaseWrapper, **__: Any) -> list[str]:
    quote = connection.ops.quote_name
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
    asked = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {quote(table)})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(asked)
        filled = [quote(table) for (table,) in cursor.fetchall()]
    # Those that point to a filled table have to go with it, filled or not.
    return [f"TRUNCATE {', '.join(filled)} CASCADE"] if filled else []
