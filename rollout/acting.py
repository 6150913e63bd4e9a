"""Who acts, through which door, and why: what an event says of a change besides the change itself."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from rollout.models.event import Door


def _nobody() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Acting:
    """who: returns a name when it is asked, since a request's user may cost a query. why: the reason given, or empty.

    measures: the metric values on which the change rests.
    """

    door: Door = Door.CODE
    who: Callable[[], str] = _nobody
    why: str = ""
    measures: Mapping[str, object] = field(default_factory=dict)


_acting: ContextVar[Acting | None] = ContextVar("readshift_acting", default=None)

_finders: list[Callable[[], Acting]] = []


def find_by(finder: Callable[[], Acting]) -> None:
    """Ask this function who acts where no block says so. The one that was named last counts."""
    _finders.append(finder)


def current() -> Acting:
    """Return on whose behalf this code runs."""
    named = _acting.get()
    if named is not None:
        return named
    return _finders[-1]() if _finders else Acting()


@contextmanager
def acting(acting_as: Acting) -> Iterator[None]:
    """Let what this block changes be put down to somebody."""
    token = _acting.set(acting_as)
    try:
        yield
    finally:
        _acting.reset(token)


def because(why: str, **measures: object) -> AbstractContextManager[None]:
    """Let what this block changes be put down to whoever acts already, with a reason."""
    return acting(replace(current(), why=why, measures=measures))
