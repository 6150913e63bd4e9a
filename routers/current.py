"""What is current: the unit that this code runs in, and what the blocks around it ask for."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from django.db.models import Model

from routers.decisions import Asked
from routers.remembered import Remembered
from routers.unit import Block, Unit, UnitKind


@dataclass(slots=True, eq=False)
class Current:
    """A unit and what the blocks that count in it ask for together; None where there is none.

    remembered: the decisions for replicas that may be given again. Outside of any unit there are none.
    given: the one of them that was given last, until another answer is.
    """

    unit: Unit | None = None
    block: Block | None = None
    remembered: dict[type[Model], Remembered] = field(default_factory=dict)
    given: Remembered | None = None

    @property
    def steering_block(self) -> Block | None:
        """What blocks ask for, or None when they leave it open where reads go."""
        return self.block if self.block is not None and self.block.steers else None

    def answer_for(self, alias: str) -> Asked | None:
        """Return the router's last answer that leads to this alias, or None."""
        if self.unit is None:
            return None
        self._take_down_given(self.unit)
        return self.unit.asked.get(alias)

    def answer_about(self, alias: str, sql: object) -> Asked | None:
        """Return the answer that leads to this alias and is about the table of this statement; failing that, the last.

        Where something else was asked since, by another thread of the unit for one, nobody knows whether it is fresh.
        """
        asked = self.answer_for(alias)
        if not isinstance(sql, str) or (asked is not None and asked.quoted in sql):
            return asked
        others = (known for known in tuple(self.remembered.values()) if known.alias == alias)
        if (meant := next((other for other in others if other.quoted in sql), None)) is None:
            return asked
        meant.statements = 0
        return meant

    def answer_to(self, alias: str, sql: object) -> Asked | None:
        """Return the router's answer that sends this statement to this alias; None when nobody asked."""
        asked = self.answer_for(alias)
        return asked if asked is not None and asked.precedes(sql) else None

    def take_down(self, alias: str, asked: Asked) -> None:
        """Take down an answer of the router."""
        if self.unit is not None:
            self._take_down_given(self.unit)
            self.unit.asked[alias] = asked

    def _take_down_given(self, unit: Unit) -> None:
        if (given := self.given) is not None:
            unit.asked[given.alias], self.given = given, None


_NOWHERE = Current()
_current: ContextVar[Current] = ContextVar("readshift_current", default=_NOWHERE)

current = _current.get
"""Return the unit and the block that this code runs in."""


def current_unit() -> Unit | None:
    """Return the unit that this code runs in, or None."""
    return current().unit


def current_block() -> Block | None:
    """Return what the blocks that count here ask for, or None."""
    return current().block


def inherited(unit: Unit) -> Block | None:
    """Return what reaches into a unit that begins here: that its reads are watched, and nothing about where they go.

    A task is not watched by the code that enqueues it, which elsewhere runs in another process.
    """
    outer = current_block()
    if outer is None or outer.watch is None or unit.kind is UnitKind.TASK:
        return None
    return Block(watch=outer.watch)


class resume:  # noqa: N801 - read as a verb: `with resume(unit, block):`
    """Make these current, and afterwards again what was current before, whatever was left open in between.

    A class, as `failing` is, since every request enters it: a generator takes several times as long.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, unit: Unit | None, block: Block | None) -> None:
        self._inner = Current(unit, block)

    def __enter__(self) -> None:
        self._outer = current()
        _current.set(self._inner)

    def __exit__(self, *_: object) -> None:
        _current.set(self._outer)


def open_unit(unit: Unit) -> resume:
    """Make this the current unit. Blocks of an enclosing unit do not lead its reads."""
    return resume(unit, inherited(unit))


@contextmanager
def nest_unit(unit: Unit) -> Iterator[Unit]:
    """Make this the current unit for a block of code, which may be that of a generator."""
    outer = current()
    _current.set(Current(unit, inherited(unit)))
    try:
        with ending(unit):
            yield unit
    finally:
        if current().unit is unit:
            _current.set(outer)


class failing:  # noqa: N801 - read as a verb: `with failing(unit):`
    """End the unit with an error that leaves this block. Without one, it goes on."""

    __slots__ = ("_unit",)

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        if error is not None:
            # What only breaks off, as when a client leaves, is no failure of ours.
            self._unit.end(failed=isinstance(error, Exception))


@contextmanager
def ending(unit: Unit) -> Iterator[None]:
    """End the unit with this block."""
    with failing(unit):
        yield
    unit.end(failed=False)


@contextmanager
def open_block(block: Block) -> Iterator[None]:
    """Apply a block, together with those around it.

    A generator that is dropped inside its block leaves it when it is collected, which may be in the middle of something
    else. So a block takes away only itself, and `nest_unit` likewise.
    """
    outer = current()
    mine = replace(block.within(outer.block))
    _current.set(Current(outer.unit, mine))
    try:
        yield
    finally:
        if (now := current()).block is mine:
            _current.set(outer if now.unit is outer.unit else Current(now.unit, outer.block))
