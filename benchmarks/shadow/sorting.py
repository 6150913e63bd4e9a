"""A collation that sorts unlike C, on a server that may have no locale but that one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from demo.cluster import Server

COLLATION = "shadow_other"
_SOURCES = ("provider = icu, locale = 'und'", "provider = libc, locale = 'en_US.UTF-8'")
_VARIABLE = "LOCPATH"


@contextmanager
def locales() -> Iterator[None]:
    """Let servers that start within this block find a locale, if this machine can make one.

    The servers that come as wheels have no ICU, and small images no locales; glibc makes them from their sources.
    """
    with TemporaryDirectory(prefix="readshift-locales-") as folder:
        # Its owner alone could go there, and servers may run as somebody else.
        Path(folder).chmod(0o755)
        with suppress(OSError):
            subprocess.run(  # noqa: S603 - a constant command
                ["localedef", "-i", "en_US", "-f", "UTF-8", Path(folder, "en_US.UTF-8")],  # noqa: S607 - wherever it is
                check=False,
                capture_output=True,
            )
        before = os.environ.get(_VARIABLE)
        if any(Path(folder).iterdir()):
            os.environ[_VARIABLE] = folder
        try:
            yield
        finally:
            os.environ.pop(_VARIABLE, None)
            if before is not None:
                os.environ[_VARIABLE] = before


def create_collation(server: Server, database: str) -> bool:
    """Create `COLLATION`, and say whether this server can sort by it and unlike C."""
    for source in _SOURCES:
        with suppress(psycopg.Error):
            server.query(f"CREATE COLLATION {COLLATION} ({source})", dbname=database)
            return server.query(f"SELECT 'a' < 'B' COLLATE {COLLATION}", dbname=database) == [(True,)]
    return False
