"""The connection, which tells the server the process that it belongs to, so that the server's log names it."""

import os
from typing import Any

from django.db.backends.postgresql import base

from benchmarks.propagation.wire import worker_name


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "application_name": worker_name(os.getpid())}
