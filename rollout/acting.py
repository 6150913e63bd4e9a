"""Who acts, through which door, and why: what an event says of a change besides the change itself."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

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

_find: Callable[[], Acting] = Acting


def find_by(finder: Callable[[], Acting]) -> None:
    """Ask this function who acts where no block says so."""
    global _find  # noqa: PLW0603 - set once, when the apps are ready
    _find = finder


def current() -> Acting:
    """Return on whose behalf this code runs."""
    return _acting.get() or _find()


@contextmanager
def acting(acting_as: Acting) -> Iterator[None]:
    """Let what this block changes be put down to somebody."""
    token = _acting.set(acting_as)
    try:
        yield
    finally:
        _acting.reset(token)
