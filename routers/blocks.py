"""Blocks of code that say where their reads go: `use_primary`, `use_replica`, `use_contract`, `unit_of_work`.

`expect_replica` reports reads that go elsewhere, and `carry` takes all of it into threads.
"""

import functools
import inspect
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from contextvars import copy_context
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

from django.core.exceptions import SynchronousOnlyOperation

from rollout.contracts import parse_contract
from rollout.options import DEFAULT_POOL
from routers.current import current_block, current_unit, nest_unit, open_block, resume
from routers.endpoints import declare
from routers.subjects import PlainParty
from routers.trail import begin_outside, end_outside, outside_trail
from routers.unit import Block, Unit, UnitKind, Watch
from routers.whereabouts import settle_reads

Function = TypeVar("Function", bound=Callable[..., Any])
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class ReadBlock(ABC):
    """A context manager and decorator, sync and async, that can be nested and used again.

    Queries count where they are evaluated, not where the queryset was built. Generators cannot be decorated: their
    body runs after the call has returned. Use the block inside their body instead.
    """

    def __init__(self) -> None:
        self._entered: list[ExitStack] = []

    @abstractmethod
    def _contexts(self) -> list[AbstractContextManager[Any]]:
        """Return what to enter, outermost first."""

    @abstractmethod
    def _again(self) -> Self:
        """Return an equal block that has not been entered, for one call of a decorated function."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for context in self._contexts():
                stack.enter_context(context)
            self._entered.append(stack.pop_all())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.pop().__exit__(kind, error, trace)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Function) -> Function:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{type(self).__name__} cannot decorate the generator {function.__qualname__}, whose body runs after "
                f"the call has returned. Write `with {type(self).__name__}(...):` around the queries inside it."
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper_async(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

            return cast("Function", wrapper_async)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return cast("Function", wrapper)


class use_primary(ReadBlock):  # noqa: N801 - read as a verb: `with use_primary():`
    """Send every read of the block to the primary, and of all blocks within it."""

    def _contexts(self) -> list[AbstractContextManager[Any]]:
        return [open_block(Block(forces_primary=True))]

    def _again(self) -> Self:
        return type(self)()


class use_replica(ReadBlock):  # noqa: N801 - read as a verb: `with use_replica():`
    """Let the reads of the block go to a replica without a rule, and whatever the HTTP method.

    Everything else still holds: the kill switch, the deny list, transactions, and what was written before. Outside a
    unit the block is a unit of its own, counted under `endpoint`.
    """

    def __init__(self, pool: str = DEFAULT_POOL, *, endpoint: str = "use_replica") -> None:
        super().__init__()
        self._pool = pool
        self._endpoint = endpoint
        declare(endpoint)

    def _contexts(self) -> list[AbstractContextManager[Any]]:
        # Taken down here, since the unit that is opened knows nothing of blocks around it.
        block = open_block(Block(pool=self._pool).within(current_block()))
        return [block] if current_unit() is not None else [open_outermost(self._endpoint), block]

    def _again(self) -> Self:
        return type(self)(self._pool, endpoint=self._endpoint)


class unit_of_work(ReadBlock):  # noqa: N801 - read as a noun phrase: `with unit_of_work("import"):`
    """Make the block a unit with an endpoint of its own, so that rules can name it.

    Inside another unit it serves the same actor, and what the outer one has written still counts.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._endpoint = endpoint
        declare(endpoint)

    def _contexts(self) -> list[AbstractContextManager[Any]]:
        outer = current_unit()
        if outer is None:
            return [open_outermost(self._endpoint)]
        return [nest_unit(Unit(UnitKind.BLOCK, self._endpoint, outer.trail, outer.is_safe, outer.atomic_aliases))]

    def _again(self) -> Self:
        return type(self)(self._endpoint)


class use_contract(ReadBlock):  # noqa: N801 - read as a verb: `with use_contract("bounded:5"):`
    """Ask for a freshness contract for the reads of the block: "strict", "session", "bounded:5" (seconds) or "any".

    The strictest of all that apply counts, those of rules included: a block never loosens what a rule demands.
    `wait_seconds` is how long a replica that is behind may take to catch up before the primary is read instead.
    Raises ValueError for another contract, and for a time below 0.
    """

    def __init__(self, contract: str, *, wait_seconds: float | None = None) -> None:
        super().__init__()
        self._contract = parse_contract(contract)
        if wait_seconds is not None and not 0 <= wait_seconds < math.inf:
            raise ValueError(f"wait_seconds is {wait_seconds!r}. Write a number of seconds, 0 or above.")
        self._wait_seconds = wait_seconds

    def _contexts(self) -> list[AbstractContextManager[Any]]:
        return [open_block(Block(contract=self._contract, wait_seconds=self._wait_seconds))]

    def _again(self) -> Self:
        return type(self)(str(self._contract), wait_seconds=self._wait_seconds)


class expect_replica(ReadBlock):  # noqa: N801 - read as a verb: `with expect_replica():`
    """Report reads of the block that go to the primary although a rule or `use_replica` leads them to a replica.

    "log" writes a warning for each place in the code, once a process; "raise" raises `PrimaryReadError` before the
    statement is sent. Where blocks are nested, "raise" counts. Whatever the reason: a transaction, an earlier write, an
    unsafe method, a replica that is down or behind; and a cursor of its own on the primary, where a rule routes the
    endpoint. Reads that are meant for the primary are not reported: without a rule, on the deny list, pinned, observed,
    behind a closed gate, in `use_primary()`, under a strict contract, `.using()` the primary, or on behalf of a write.

    It changes nothing about where reads go. It reaches into requests and units that begin inside it, and not into
    tasks. Raises ValueError for another word.
    """

    def __init__(self, on_primary: str = "log") -> None:
        super().__init__()
        try:
            self._watch = Watch(on_primary)
        except ValueError:
            raise ValueError(f'on_primary is {on_primary!r}. Write "log" or "raise".') from None

    def _contexts(self) -> list[AbstractContextManager[Any]]:
        return [open_block(Block(watch=self._watch))]

    def _again(self) -> Self:
        return type(self)(self._watch)


@contextmanager
def open_outermost(endpoint: str, kind: UnitKind = UnitKind.BLOCK) -> Iterator[None]:
    """Open a unit of this code's own, which knows what the code before it has written."""
    trail = begin_outside(PlainParty())
    with nest_unit(Unit(kind, endpoint, trail)):
        try:
            yield
        finally:
            # On an event loop nothing can be asked. What is not settled here is settled by the next block.
            with suppress(SynchronousOnlyOperation):
                settle_reads(trail, time.time())
            end_outside(trail)


def carry(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return a function that reads as this code does, the current unit and block included, in whatever thread it runs.

    A thread pool of one's own starts without them, so its reads go to the primary: `pool.map(carry(price), products)`.
    """
    # What either of the two writes outside of any unit, the other must know.
    outside_trail()
    context = copy_context()

    def within(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        # Each thread remembers decisions of its own, which rest on its own connections.
        with resume(current_unit(), current_block()):
            return function(*args, **kwargs)

    @functools.wraps(function)
    def carried(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        # A copy for each call, since only one thread at a time can be in a context.
        return context.copy().run(within, *args, **kwargs)

    return carried
