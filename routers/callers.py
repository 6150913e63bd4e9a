"""Which code sends a statement: the place in the host's code that led to it, and whether Django put it together."""

import sys
import sysconfig
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import FrameType

import asgiref
import django


class Origin(Enum):
    """Whose code a file holds. SENDER: the parts of Django that write statements. OTHER: what says nothing."""

    HOST = "host"
    SENDER = "sender"
    DJANGO = "django"
    PACKAGE = "package"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Caller:
    """place: file, line and function of the host's code; of a package, if none of the host's led here; or empty.

    is_django: whether the ORM, a cache or an app of Django wrote the statement, and not the code that led to it.
    """

    place: str
    is_django: bool


_DJANGO = Path(django.__file__).parent
_READSHIFT = Path(__file__).parent.parent
_PACKAGES = ("site-packages", "dist-packages")
# The first that a file lies in counts.
_HOMES = (
    *((_READSHIFT / name, Origin.OTHER) for name in ("rollout", "routers", "tasks", "admin_ui")),
    (_DJANGO / "db" / "backends", Origin.OTHER),
    *((_DJANGO / name, Origin.SENDER) for name in ("db/models", "db/migrations", "core/cache", "contrib")),
    (_DJANGO, Origin.DJANGO),
    # Runs Django's synchronous code for its asynchronous code.
    (Path(asgiref.__file__).parent, Origin.DJANGO),
    *((Path(sysconfig.get_path(name)), Origin.PACKAGE) for name in ("purelib", "platlib")),
)
_PYTHON = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))


@cache
def origin_of(filename: str) -> Origin:
    """Return whose code this file holds."""
    path = Path(filename)
    for home, origin in _HOMES:
        if home in path.parents:
            return origin
    if any(name in path.parts for name in _PACKAGES):
        return Origin.PACKAGE
    return Origin.OTHER if filename.startswith("<") or any(home in path.parents for home in _PYTHON) else Origin.HOST


def find_caller() -> Caller:
    """Return which code led to the statement that this thread is about to send."""
    package, is_django, is_known = "", False, False
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - `inspect` has no way to walk a stack without reading files
    while frame is not None:
        origin = origin_of(frame.f_code.co_filename)
        if origin is Origin.HOST:
            return Caller(_place(frame), is_django)
        if origin is Origin.SENDER and not is_known:
            # What lies between the ORM and the driver only looks on, such as tracing.
            package, is_django = "", True
        elif origin is Origin.PACKAGE and not package:
            package = _place(frame)
        # Further out, Django calls the code that led here: a view, a signal's receiver, a template's tag.
        is_known = is_known or origin is Origin.DJANGO
        frame = frame.f_back
    return Caller(package, is_django)


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
