"""A real browser, a real web server on the suite's databases, and staff who are logged in."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from django.contrib.auth.models import Permission, User
from django.test import Client
from playwright.sync_api import Browser, Page

from benchmarks.processes import free_port, running
from demo.browser import MISSING, find_browser, running_browser
from demo.waiting import wait_until
from tests.browser.visits import Site, Visit

FOLDER = Path(__file__).parent
SERVER = ["gunicorn", "django.core.wsgi:get_wsgi_application()", "--workers=1", "--threads=8", "--keep-alive=75"]
START_SECONDS = 60.0

OpenPage = Callable[..., Page]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests last: their server would be among the processes that other tests count.

    Playwright's event loop, too, runs from the first of them to the end.
    """
    items.sort(key=lambda item: FOLDER in item.path.parents)


@pytest.fixture(scope="session")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """One browser for all tests. Without one on the machine they are skipped."""
    program = find_browser()
    if program is None:
        pytest.skip(MISSING)
    with pytest.MonkeyPatch.context() as environment:
        # Django's guard against its ORM in a coroutine sees Playwright's loop in this thread, which runs none of ours.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with running_browser(program) as started:
            yield started


@pytest.fixture(scope="session")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo's site, served by one process with a thread for the policy and real probes."""
    port, log = free_port(), tmp_path_factory.mktemp("web") / "gunicorn.log"
    site = Site(f"http://127.0.0.1:{port}")
    variables = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.browser.server_settings"}
    variables.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
    with running("web server", [*SERVER, f"--bind=127.0.0.1:{port}", "--no-control-socket"], variables, log):
        wait_until(lambda: answers(site), START_SECONDS, f"the web server to answer. Its log is {log}")
        yield site


def answers(site: Site) -> bool:
    """Say whether the server is up."""
    try:
        return requests.get(f"{site.url}/login/", timeout=5).ok
    except requests.RequestException:
        return False


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[OpenPage]:
    """Return a page in a browser of its own, logged in as a user, or as staff with the named permissions alone, if any.

    At the end of the test, no page may have found fault with anything: see `Visit`.
    """
    visits: list[Visit] = []

    def open_for(*codenames: str, user: User | None = None, **options: object) -> Page:
        visit = Visit(browser, site, options)
        visits.append(visit)
        if user or codenames:
            visit.log_in(session_of(user or staff(*codenames)))
        return visit.page

    yield open_for
    for visit in visits:
        visit.close()
    assert [fault for visit in visits for fault in visit.faults] == []


@pytest.fixture
def superuser(transactional_db: None) -> User:
    return User.objects.create_superuser("superuser", password="superuser")


def staff(*codenames: str) -> User:
    """Create a member of staff with the named permissions and no other."""
    user = User.objects.create_user("_".join(["staff", *codenames]), is_staff=True)
    permissions = Permission.objects.filter(codename__in=codenames)
    assert len(permissions) == len(codenames)
    user.user_permissions.set(permissions)
    return user


def session_of(user: User) -> str:
    """Log a user in, and return the session's key."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value
