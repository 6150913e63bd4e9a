"""An asker over a plain connection of psycopg's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import RawCursor

from demo.cluster import Server


class PlainAsker:
    """Counts what it asks."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.asked = 0
        self._connection = connection

    @property
    def version(self) -> int:
        return self._connection.info.server_version

    def rows(self, sql: str, params: Sequence[str]) -> list[tuple[str | None, ...]]:
        self.asked += 1
        return RawCursor(self._connection).execute(sql.encode(), params).fetchall()


@contextmanager
def asking(server: Server, dbname: str = "postgres", user: str = "postgres") -> Iterator[PlainAsker]:
    with psycopg.connect(server.dsn(dbname), autocommit=True, user=user) as connection:
        yield PlainAsker(connection)


@contextmanager
def database(server: Server, name: str, *options: str) -> Iterator[str]:
    """A database of its own, which stands for another server."""
    server.query(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.query(f"CREATE DATABASE {name} {' '.join(options)}")
    try:
        yield name
    finally:
        server.query(f"DROP DATABASE {name} WITH (FORCE)")
