"""One address for a server that may change or be out of reach: a TCP relay on loopback."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Any, Self

HOST = "127.0.0.1"
_CHUNK = 65_536
_ANSWER_SECONDS = 10.0
_HOLD_SECONDS = 60.0


class Relay:
    """Passes on every connection to one port of this machine, which can be exchanged while it runs.

    `cut` ends all connections and holds new ones until `point_to` names the next target. `black_hole` keeps them, and
    lets nothing through until `restore`. Use it as a context manager; it works in a thread of its own.

    overhear: told of everything that is passed on, in either direction.
    """

    def __init__(self, target: int, overhear: Callable[[bytes], None] | None = None) -> None:
        self.port = 0
        self._overhear = overhear
        self._target: int | None = target
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._has_target = asyncio.Event()
        self._is_passable = asyncio.Event()
        self._delay_seconds = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_SECONDS)
        self._loop.close()

    def cut(self) -> None:
        """End all connections, and return when they are. New ones are accepted but wait for a target."""
        self._wait(self._cut())

    def point_to(self, target: int) -> None:
        """Pass on what waits, and all that comes, to this port."""
        self._wait(self._point_to(target))

    def black_hole(self) -> None:
        """Pass on nothing in either direction, not even the end of a connection. New ones are accepted, too."""
        self._wait(self._set_passable(False))

    def restore(self) -> None:
        """Pass on what was held back, in its order, and all that comes."""
        self._wait(self._set_passable(True))

    def delay(self, seconds: float) -> None:
        """Hold back what the target sends for so long from now on; 0 ends it."""
        self._wait(self._set_delay(seconds))

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_SECONDS)

    async def _open(self) -> None:
        self._has_target.set()
        self._is_passable.set()
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        self._target = None
        self._has_target.clear()
        cut = tuple(self._connections)
        for connection in cut:
            connection.cancel()
        await asyncio.gather(*cut, return_exceptions=True)

    async def _point_to(self, target: int) -> None:
        self._target = target
        self._has_target.set()

    async def _set_passable(self, is_passable: bool) -> None:
        if is_passable:
            self._is_passable.set()
        else:
            self._is_passable.clear()

    async def _set_delay(self, seconds: float) -> None:
        self._delay_seconds = seconds

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        if connection is None:
            return
        self._connections.add(connection)
        try:
            await asyncio.wait_for(self._has_target.wait(), _HOLD_SECONDS)
            await self._is_passable.wait()
            beyond_reader, beyond_writer = await asyncio.open_connection(HOST, self._target)
            try:
                await _join(self._copy(reader, beyond_writer), self._copy(beyond_reader, writer, is_answer=True))
            finally:
                beyond_writer.transport.abort()
        # A refused, broken or cut connection ends for the client as well, which is all that there is to tell.
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._connections.discard(connection)

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        """Pass on one direction until it ends."""
        with suppress(OSError):
            while chunk := await self._next(reader):
                if is_answer and self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                if self._overhear is not None:
                    self._overhear(chunk)
                writer.write(chunk)
                await writer.drain()

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        """Return what comes next, or nothing at the end, as soon as it may be known on the other side."""
        try:
            chunk = await reader.read(_CHUNK)
        except OSError:
            chunk = b""
        await self._is_passable.wait()
        return chunk


async def _join(*ways: Coroutine[Any, Any, None]) -> None:
    """Copy both ways until either end closes."""
    copies = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)
