"""The connection: connecting, Django's health checks and statements are attempts."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base

from benchmarks.failover.attempts import Kind, Recorder

# Nothing is recorded outside scenarios.
_folder = os.environ.get("FAILOVER_ATTEMPTS")
_recorder = Recorder(Path(_folder) if _folder else None)


class DatabaseWrapper(base.DatabaseWrapper):
    """All systems use it, so that all are measured by the same attempts.

    What they do in the background on connections of psycopg, such as probing, is none of the application's.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Readshift puts its own before this one, so that what it sends elsewhere is an attempt at both servers.
        self.execute_wrappers.append(self._note_statement)

    def get_new_connection(self, conn_params: Any) -> Any:
        connect = partial(super().get_new_connection, conn_params)
        return _recorder.note(self.alias, Kind.CONNECT, connect)

    def is_usable(self) -> bool:
        return _recorder.note(self.alias, Kind.CHECK, super().is_usable)

    def _note_statement(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        return _recorder.note(self.alias, Kind.STATEMENT, partial(execute, sql, params, many, context))
