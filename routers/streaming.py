"""Streamed bodies: they are produced after the middleware has returned, and belong to their request's unit."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from routers.carriers import leave_in_cache
from routers.current import current_block, current_unit, inherited, resume
from routers.unit import Block, Unit
from routers.whereabouts import conclude, settle_writes


class Steps:
    """The unit of a body, entered for each step of its iteration and left in between.

    In between runs whoever iterates, the server or another response in the same thread, which must not find the unit.
    A block that the body has entered and not yet left, such as `with use_primary(): yield`, is kept for its next step.
    """

    def __init__(self, unit: Unit, *, failed: bool) -> None:
        self._unit = unit
        self._failed = failed
        self._block: Block | None = inherited(unit)
        self._told = unit.trail.learned

    @contextmanager
    def step(self) -> Iterator[None]:
        with resume(self._unit, self._block):
            try:
                yield
            except (StopIteration, StopAsyncIteration):
                raise
            except Exception:
                self._failed = True
                raise
            finally:
                self._unit, self._block = current_unit() or self._unit, current_block()

    @property
    def has_written(self) -> bool:
        """Whether the body has written something that the actor's next request would not know of yet."""
        return bool(self._unit.trail.unsettled)

    def tell(self) -> None:
        """Leave what the body has written for the actor's next request. The headers, and the cookie, are gone."""
        settle_writes(self._unit.trail, time.time())
        self._leave()

    def end(self) -> None:
        """Leave everything that the body wrote and saw."""
        if self._unit.trail.is_open:
            conclude(self._unit.trail, time.time())
        self._leave()
        self._unit.end(failed=self._failed)

    def _leave(self) -> None:
        trail = self._unit.trail
        if trail.learned != self._told and trail.party.actor:
            leave_in_cache(trail.party.actor, trail.learned)
        self._told = trail.learned


class Body:
    """The body of a WSGI response, one part at a time within the unit."""

    def __init__(self, parts: Iterator[bytes], steps: Steps) -> None:
        self._parts = parts
        self._steps = steps

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            with self._steps.step():
                part = next(self._parts)
        except StopIteration:
            # Before the client learns that this was all.
            self._steps.end()
            raise
        if self._steps.has_written:
            # Before the client learns of it.
            self._steps.tell()
        return part


class AsyncBody:
    """The body of an ASGI response, one part at a time within the unit."""

    def __init__(self, parts: AsyncIterator[bytes], steps: Steps) -> None:
        self._parts = parts
        self._steps = steps

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            with self._steps.step():
                part = await anext(self._parts)
        except StopAsyncIteration:
            await sync_to_async(self._steps.end)()
            raise
        if self._steps.has_written:
            await sync_to_async(self._steps.tell)()
        return part


def stream_within(unit: Unit, response: HttpResponseBase, *, failed: bool) -> bool:
    """Have the body of a streamed response read as the rest of its request does: same decisions, same replica.

    Returns whether there is such a body. The unit then ends with it; failed: whether it has failed already. Responses
    that send a file are left alone: the server may send it without asking us, and nothing is read for it.
    """
    if not isinstance(response, StreamingHttpResponse) or getattr(response, "file_to_stream", None) is not None:
        return False
    # The view's own transaction is over. One that the body opens is its own.
    unit.atomic_aliases = frozenset()
    steps = Steps(unit, failed=failed)
    parts: Any = response.streaming_content
    response.streaming_content = AsyncBody(parts, steps) if response.is_async else Body(parts, steps)
    close = response.close

    def close_within() -> None:
        # A body that is left half way runs its `finally` and its `with` blocks to their ends now.
        with steps.step():
            close()
        steps.end()

    response.close = close_within  # type: ignore[method-assign]
    return True
