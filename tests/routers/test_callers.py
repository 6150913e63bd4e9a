"""Which code a statement is put down to, from stacks of code that claims to lie in certain files."""

import sysconfig
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path

import asgiref
import django
import pytest

import routers
from routers.callers import Caller, Origin, find_caller, origin_of

DJANGO = Path(django.__file__).parent
READSHIFT = Path(routers.__file__).parent
SITE = "/srv/venv/lib/python3.13/site-packages"
HOST = "/srv/shop/views.py"
WIRE = str(READSHIFT / "wire.py")
DRIVER = str(DJANGO / "db/backends/utils.py")
ORM = str(DJANGO / "db/models/sql/compiler.py")
CACHE = str(DJANGO / "core/cache/backends/db.py")
HANDLER = str(DJANGO / "core/handlers/base.py")
MIDDLEWARE = str(DJANGO / "contrib/auth/middleware.py")
SIGNAL = str(DJANGO / "dispatch/dispatcher.py")
TRACING = f"{SITE}/tracing/django.py"
REPORTS = f"{SITE}/reports/totals.py"


def called_by(inner: Callable[[], Caller], filename: str) -> Callable[[], Caller]:
    """Return a function from this file that calls another one."""
    names: dict[str, Callable[[], Caller]] = {"inner": inner}
    exec(compile("def outer():\n    return inner()", filename, "exec"), names)  # noqa: S102
    return names["outer"]


def found(*innermost_first: str) -> tuple[str, bool]:
    """Return the file of the place, and whether Django wrote the statement, for a stack of these files."""
    caller = reduce(called_by, innermost_first, find_caller)()
    return caller.place.partition(":")[0], caller.is_django


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param([WIRE, DRIVER, HOST], (HOST, False), id="a cursor of the host's"),
        pytest.param([WIRE, DRIVER, ORM, HOST], (HOST, True), id="the ORM"),
        pytest.param([WIRE, DRIVER, CACHE, HOST], (HOST, True), id="Django's cache in the database"),
        pytest.param([WIRE, DRIVER, TRACING, ORM, HOST], (HOST, True), id="the ORM, looked on by tracing"),
        pytest.param([WIRE, DRIVER, TRACING, HOST], (HOST, False), id="a cursor of the host's, looked on by tracing"),
        pytest.param([WIRE, DRIVER, REPORTS, HOST], (HOST, False), id="a cursor of a package that the host calls"),
        pytest.param([WIRE, DRIVER, HOST, SIGNAL, ORM, HOST], (HOST, False), id="a cursor of a signal's receiver"),
    ],
)
def test_the_hosts_code_is_found(stack: list[str], expected: tuple[str, bool]) -> None:
    assert found(*stack) == expected


def test_the_nearest_place_in_the_hosts_code_counts() -> None:
    assert found(DRIVER, ORM, "/srv/shop/models.py", ORM, HOST)[0] == "/srv/shop/models.py"


def test_the_place_has_file_line_and_function() -> None:
    assert called_by(find_caller, HOST)().place == f"{HOST}:2 in outer"


# In a thread of its own, so that no other frame lies further out.
@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param([WIRE, DRIVER, REPORTS, HANDLER, MIDDLEWARE], (REPORTS, False), id="a cursor of a package's view"),
        pytest.param([WIRE, DRIVER, TRACING, ORM, REPORTS, HANDLER], (REPORTS, True), id="the ORM in a package's view"),
        pytest.param([WIRE, DRIVER, REPORTS, SIGNAL, ORM, HANDLER], (REPORTS, False), id="a package's receiver"),
        pytest.param([WIRE, DRIVER, ORM, str(Path(asgiref.__file__).parent / "sync.py")], ("", True), id="a coroutine"),
    ],
)
def test_without_code_of_the_hosts_the_nearest_package_is_found(
    stack: list[str], expected: tuple[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routers.callers.origin_of", lambda name: Origin.OTHER if name == __file__ else origin_of(name))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(found, *stack).result() == expected


@pytest.mark.parametrize(
    ("filename", "origin"),
    [
        (HOST, Origin.HOST),
        (f"{SITE}/shop/views.py", Origin.PACKAGE),
        ("/usr/lib/python3/dist-packages/reports.py", Origin.PACKAGE),
        (f"{sysconfig.get_path('stdlib')}/statistics.py", Origin.OTHER),
        (f"{sysconfig.get_path('purelib')}/reports.py", Origin.PACKAGE),
        ("<frozen importlib._bootstrap>", Origin.OTHER),
        (str(READSHIFT / "callers.py"), Origin.OTHER),
        (str(READSHIFT.parent / "demo/shop/views/catalogue.py"), Origin.HOST),
        (ORM, Origin.SENDER),
        (DRIVER, Origin.OTHER),
        (HANDLER, Origin.DJANGO),
    ],
)
def test_files_are_told_apart(filename: str, origin: Origin) -> None:
    assert origin_of(filename) is origin
