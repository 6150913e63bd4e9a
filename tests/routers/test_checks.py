"""System checks of the read path."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Warning, run_checks  # noqa: A004 - Django's name

BACKENDS = "django.core.cache.backends"


class CountingCache(LocMemCache):
    """A cache such as packages that count calls derive."""


@pytest.fixture
def in_service(settings: Any) -> None:
    """Check as a process does that serves requests, and no test."""
    settings.READSHIFT = {**settings.READSHIFT, "POLICY_REFRESH": "background"}


def messages() -> list[CheckMessage]:
    return run_checks(tags=["readshift"])


def ids() -> set[str | None]:
    return {message.id for message in messages()}


def test_a_complete_project_has_nothing_to_report() -> None:
    assert ids() == set()


def test_a_missing_router_is_reported(settings) -> None:
    settings.DATABASE_ROUTERS = []
    assert ids() == {"readshift.W004"}


def test_a_missing_middleware_is_reported(settings) -> None:
    settings.MIDDLEWARE = [entry for entry in settings.MIDDLEWARE if "routers" not in entry]
    assert ids() == {"readshift.W005"}


def test_without_clusters_neither_is_missed(settings) -> None:
    settings.READSHIFT = {}
    settings.DATABASE_ROUTERS = []
    settings.MIDDLEWARE = []
    assert ids() == set()


def test_a_cache_that_does_not_exist_is_an_error(settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "CACHE": "tokens"}
    settings.CACHES = {**settings.CACHES, "pages": settings.CACHES["default"]}
    (message,) = messages()
    assert (type(message), message.id) == (Error, "readshift.E011")
    assert "'tokens'" in message.msg
    assert "default, pages" in str(message.hint)


@pytest.mark.parametrize(
    ("backend", "lack"),
    [
        (f"{BACKENDS}.locmem.LocMemCache", "within one process"),
        (f"{__name__}.CountingCache", "within one process"),
        (f"{BACKENDS}.dummy.DummyCache", "stores nothing"),
    ],
)
def test_a_cache_that_processes_do_not_share_is_a_warning(in_service: None, settings, backend: str, lack: str) -> None:
    settings.CACHES = {**settings.CACHES, "tokens": {"BACKEND": backend}}
    settings.READSHIFT = {**settings.READSHIFT, "CACHE": "tokens"}
    (message,) = messages()
    assert (type(message), message.id) == (Warning, "readshift.W006")
    for noun in ("'tokens'", repr(backend), lack, "clients without cookies", "tasks"):
        assert noun in message.msg
    for step in ('CACHES["tokens"]', 'READSHIFT["CACHE"]', "readshift.W006"):
        assert step in str(message.hint)


@pytest.mark.parametrize("backend", ["redis.RedisCache", "db.DatabaseCache", "filebased.FileBasedCache"])
def test_a_cache_that_processes_share_is_fine(in_service: None, settings, backend: str, tmp_path: Path) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{BACKENDS}.{backend}", "LOCATION": str(tmp_path)}}
    assert ids() == set()


def test_another_cache_may_be_of_one_process(in_service: None, settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": f"{BACKENDS}.locmem.LocMemCache"},
        "tokens": {"BACKEND": f"{BACKENDS}.redis.RedisCache"},
    }
    settings.READSHIFT = {**settings.READSHIFT, "CACHE": "tokens"}
    assert ids() == set()


@pytest.fixture
def sharing(in_service: None, settings: Any) -> None:
    """Check as a process does that shares its probes."""
    settings.READSHIFT = {**settings.READSHIFT, "PROBING": "shared"}


@pytest.mark.parametrize(
    ("backend", "location", "lack"),
    [
        ("locmem.LocMemCache", "", "within one process"),
        ("dummy.DummyCache", "", "stores nothing"),
        ("redis.RedisCache", ["redis://one", "redis://two"], "copies"),
        ("redis.RedisCache", "redis://one;redis://two", "copies"),
    ],
)
def test_a_cache_that_cannot_carry_shared_probes_is_a_warning(
    sharing: None, settings, backend: str, location: str, lack: str
) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{BACKENDS}.{backend}", "LOCATION": location}}
    (message,) = [message for message in messages() if message.id == "readshift.W007"]
    assert isinstance(message, Warning)
    for noun in ('"shared"', "'default'", backend, lack):
        assert noun in message.msg
    for step in ('CACHES["default"]', 'READSHIFT["CACHE"]', 'READSHIFT["PROBING"]'):
        assert step in str(message.hint)


def test_a_cache_of_one_server_carries_shared_probes(sharing: None, settings) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{BACKENDS}.redis.RedisCache", "LOCATION": "redis://one"}}
    assert ids() == set()


def test_a_cache_that_does_not_exist_is_one_mistake(sharing: None, settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "CACHE": "nowhere"}
    assert ids() == {"readshift.E011"}


def test_a_cache_of_one_process_is_enough_for_own_probes(in_service: None) -> None:
    assert "readshift.W007" not in ids()


@pytest.mark.parametrize(
    "change", [{"ENABLED": False}, {"POLICY_REFRESH": "auto"}, {"CLUSTERS": {}}, {"CLUSTERS": {"default": {}}}]
)
def test_where_nothing_is_routed_no_cache_is_asked_for(in_service: None, settings, change: dict[str, Any]) -> None:
    settings.READSHIFT = {**settings.READSHIFT, **change}
    assert "readshift.W006" not in ids()


@pytest.mark.parametrize(
    "change", [{"ENABLED": False}, {"POLICY_REFRESH": "auto"}, {"CLUSTERS": {}}, {"CLUSTERS": {"default": {}}}]
)
def test_where_nothing_is_routed_nothing_is_shared(sharing: None, settings, change: dict[str, Any]) -> None:
    settings.READSHIFT = {**settings.READSHIFT, **change}
    assert "readshift.W007" not in ids()
