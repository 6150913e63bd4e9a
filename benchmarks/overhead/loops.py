"""What is repeated and timed within a request."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice, repeat

from asgiref.sync import sync_to_async
from django.db import connections, router

from benchmarks.overhead.app.models import Article
from benchmarks.overhead.content import ARTICLES

_KEYS = cycle(range(1, ARTICLES + 1))


@dataclass(slots=True)
class Work:
    """What the next page does, how long it took, and which databases answered.

    reads: whether articles are read; otherwise the router alone is asked. nanoseconds, cpu: how long all repetitions
    took, and how long of that this thread had a processor, after one repetition that is not counted: what only
    the first read of a request needs is a figure of its own.
    """

    reads: bool = False
    times: int = 1
    nanoseconds: int = 0
    cpu: int = 0
    aliases: frozenset[str] = frozenset()

    def run(self) -> None:
        if self.reads:
            self._read(list(islice(_KEYS, self.times)))
        else:
            self._decide()

    async def run_async(self) -> None:
        if self.reads:
            await self._read_async(list(islice(_KEYS, self.times)))
            # Each ASGI request has a thread of its own, whose connections nobody else can use.
            await sync_to_async(connections.close_all)()
        else:
            self._decide()

    def _decide(self) -> None:
        ask = router.db_for_read
        first = last = ask(Article)
        began = time.thread_time_ns(), time.perf_counter_ns()
        for _ in repeat(None, self.times - 1):
            last = ask(Article)
        self._note(began, first, last)

    def _read(self, keys: Sequence[int]) -> None:
        get = Article.objects.get
        first = last = get(pk=1)
        began = time.thread_time_ns(), time.perf_counter_ns()
        for key in keys[1:]:
            last = get(pk=key)
        self._note(began, first._state.db, last._state.db)

    async def _read_async(self, keys: Sequence[int]) -> None:
        get = Article.objects.aget
        first = last = await get(pk=1)
        began = time.thread_time_ns(), time.perf_counter_ns()
        for key in keys[1:]:
            last = await get(pk=key)
        self._note(began, first._state.db, last._state.db)

    def _note(self, began: tuple[int, int], *aliases: str | None) -> None:
        cpu, clock = began
        self.nanoseconds = time.perf_counter_ns() - clock
        self.cpu = time.thread_time_ns() - cpu
        self.aliases = frozenset(map(str, aliases))


at_hand = Work()
"""The work of this process."""
