"""Several relays in a process of their own, which the threads of a benchmark do not slow down."""

import signal
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from benchmarks.relay import Relay

_ANSWER_SECONDS = 15.0


class Relays:
    """A relay for each of these ports, by number. Use it as a context manager, from one thread."""

    def __init__(self, targets: Sequence[int]) -> None:
        self.ports: tuple[int, ...] = ()
        # Not forked: whoever starts this may have threads.
        context = get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._theirs = theirs
        self._process = context.Process(target=_serve, args=(theirs, tuple(targets)), name="relays", daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        # Only the other process holds it now, so that its end is noticed here.
        self._theirs.close()
        self.ports = tuple(self._answer())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._orders.close()
        self._process.join(_ANSWER_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def black_hole(self, number: int) -> None:
        """Let one relay pass on nothing. See `Relay.black_hole`."""
        self._tell(number, "black_hole")

    def restore(self, number: int) -> None:
        """Let one relay pass on what was held back, and all that comes."""
        self._tell(number, "restore")

    def delay(self, number: int, seconds: float) -> None:
        """Let one relay hold back what its target sends for so long; 0 ends it."""
        self._tell(number, "delay", seconds)

    def _tell(self, number: int, order: str, *arguments: float) -> None:
        self._orders.send((number, order, arguments))
        self._answer()

    def _answer(self) -> Sequence[int]:
        """Wait until an order is carried out. Raises `TimeoutError` or `EOFError` when the relays are in trouble."""
        if not self._orders.poll(_ANSWER_SECONDS):
            raise TimeoutError(f"Waited {_ANSWER_SECONDS:g} s for the relays to carry out an order.")
        answer: Sequence[int] = self._orders.recv()
        return answer


def _serve(orders: Connection, targets: Sequence[int]) -> None:
    """Carry out orders until whoever gives them is gone."""
    # A terminal sends it to both; the benchmark then stops its servers first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with ExitStack() as stack:
        relays = [stack.enter_context(Relay(target)) for target in targets]
        orders.send([relay.port for relay in relays])
        while True:
            try:
                number, order, arguments = orders.recv()
            except EOFError:
                return
            getattr(relays[number], order)(*arguments)
            orders.send([])
