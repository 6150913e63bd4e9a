"""What the primary spends, from /proc and from its write-ahead log."""

import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from benchmarks.probing.backends import cpu_ms
from demo.cluster import Server

_OTHERS = "SELECT pid FROM pg_stat_activity WHERE application_name <> 'readshift-observer'"
_TCP_INFO = 11
_RECEIVED_AT = 128
"""Where `tcp_info` of linux/tcp.h has `tcpi_bytes_received`."""


@dataclass(slots=True)
class Spent:
    """cpu_ms: of all processes of the server. wal_bytes: without images of whole pages. seconds: on the clock."""

    cpu_ms: float = 0.0
    wal_bytes: int = 0
    seconds: float = 0.0


@contextmanager
def spending(server: Server) -> Iterator[Spent]:
    """Measure what the server spends during the block, in connections that were there before and are there after it."""
    spent = Spent()
    pids = [pid for (pid,) in server.query(_OTHERS)]
    wal, used, began = _wal(server), _used(pids), time.perf_counter()
    yield spent
    spent.seconds = time.perf_counter() - began
    spent.cpu_ms = sum(after - used[pid] for pid, after in _used(used).items())
    spent.wal_bytes = _wal(server) - wal


def _used(pids: Iterable[int]) -> dict[int, float]:
    """Return the processor time in ms of those of the processes that live; some that clean up come and go."""
    found = {}
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            found[pid] = cpu_ms([pid])
    return found


def _wal(server: Server) -> int:
    ((position,),) = server.query("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(position)


def bytes_received(connection: Any) -> int:
    """Return how much has arrived on a connection of psycopg's so far."""
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as twin:
        info = twin.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _RECEIVED_AT + 8)
    (received,) = struct.unpack_from("Q", info, _RECEIVED_AT)
    return int(received)
