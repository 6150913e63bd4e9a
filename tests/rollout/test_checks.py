"""The system checks of `rollout`, on settings that are wrong in one way each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import checks
from django.core.management import call_command
from django.db import connections

from rollout.checks import check_databases, check_names, check_setting, check_shadowed_packages

CLUSTER: dict[str, Any] = {"REPLICAS": ["replica1", "replica2"]}


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    def configure(**options: object) -> None:
        settings.READSHIFT = {"CLUSTERS": {"default": CLUSTER}, **options}

    return configure


@pytest.fixture
def sqlite_alias(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    database = {**django_settings.DATABASES["replica1"], "ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    monkeypatch.setitem(django_settings.DATABASES, "lite", database)
    yield "lite"
    del connections["lite"]


def only(messages: list[checks.CheckMessage], code: str) -> str:
    """Return message and hint of the one message, which has this id."""
    (message,) = messages
    assert message.id == f"readshift.{code}"
    assert isinstance(message, checks.Error if code.startswith("E") else checks.Warning)
    return f"{message.msg} {message.hint}"


def test_this_project_passes_all_checks() -> None:
    call_command("check", "--fail-level", "WARNING", "--tag", "readshift")


def test_the_checks_run_with_all_others() -> None:
    registered = checks.registry.registry.get_checks()
    assert {check_setting, check_databases, check_names, check_shadowed_packages} <= set(registered)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("replica1", "E001"),
        ({"CLUSTER": {}}, "E002"),
        ({"MAX_SERIES": 0}, "E003"),
        ({"CLUSTERS": {"main": {}}}, "E004"),
        ({"CLUSTERS": {"default": {"REPLICAS": ["default"]}}}, "E005"),
        ({"CLUSTERS": {"default": {}, "replica1": {}}}, "E006"),
    ],
)
def test_each_mistake_in_the_shape_of_the_setting_is_an_error(raw: object, code: str, settings: Any) -> None:
    settings.READSHIFT = raw
    (message,) = check_setting()
    assert isinstance(message, checks.Error)
    assert message.id == f"readshift.{code}"
    assert message.hint
    assert check_databases() == check_names() == []


def test_a_database_that_is_not_postgresql_is_an_error(configure: Callable[..., None], sqlite_alias: str) -> None:
    configure(CLUSTERS={sqlite_alias: {"REPLICAS": ["replica1"]}})
    messages = [message for message in check_databases() if message.id != "readshift.W003"]
    said = only(messages, "E007")
    assert "'lite'" in said
    assert "sqlite3" in said


def test_a_cluster_without_replicas_is_a_warning(configure: Callable[..., None]) -> None:
    configure(CLUSTERS={"default": {}})
    said = only(check_databases(), "W001")
    assert "'default' has no replica" in said
    assert "REPLICAS" in said


def test_atomic_requests_on_a_replica_is_a_warning(
    configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(django_settings.DATABASES["replica2"], "ATOMIC_REQUESTS", True)
    configure()
    said = only(check_databases(), "W002")
    assert "'replica2' has ATOMIC_REQUESTS" in said


def test_atomic_requests_on_the_primary_is_fine(
    configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(django_settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
    configure()
    assert check_databases() == []


@pytest.mark.parametrize("mirror", [None, "replica2"])
def test_a_replica_that_mirrors_nothing_or_another_in_tests_is_a_warning(
    mirror: str | None, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(django_settings.DATABASES["replica1"], "TEST", {"MIRROR": mirror})
    configure()
    said = only(check_databases(), "W003")
    assert "'replica1' is no test mirror of 'default'" in said
    assert '"TEST": {"MIRROR": "default"}' in said


@pytest.mark.parametrize("name", ["shop", "shop.Product", "auth.User"])
def test_apps_and_models_may_be_denied_by_their_labels(name: str, configure: Callable[..., None]) -> None:
    configure(DENY=[name])
    assert check_names() == []


@pytest.mark.parametrize("name", ["nothing", "shop.Nothing", "nothing.Product", "shop.product", "demo.shop", "a.b.c"])
def test_a_denied_name_that_stands_for_nothing_is_an_error(name: str, configure: Callable[..., None]) -> None:
    configure(DENY=["shop", name])
    said = only(check_names(), "E008")
    assert repr(name) in said
    assert "app label" in said


@pytest.mark.parametrize("name", ["nothing", "shop.Product"])
def test_a_cluster_for_something_that_is_no_app_is_an_error(name: str, configure: Callable[..., None]) -> None:
    configure(CLUSTERS={"default": {**CLUSTER, "APPS": ["shop", name]}})
    said = only(check_names(), "E008")
    assert repr(name) in said
    assert "app label" in said


@pytest.mark.parametrize("option", ["ACTOR", "SESSION_STATE"])
def test_a_function_that_can_be_imported_is_fine(option: str, configure: Callable[..., None]) -> None:
    configure(**{option: "tests.support.account_header"})
    assert check_names() == []


@pytest.mark.parametrize("option", ["ACTOR", "SESSION_STATE"])
@pytest.mark.parametrize("path", ["nowhere.account_of", "tests.support.nothing", "account_of", "tests.settings.PORTS"])
def test_a_function_that_cannot_be_imported_or_called_is_an_error(
    path: str, option: str, configure: Callable[..., None]
) -> None:
    configure(**{option: path})
    said = only(check_names(), "E009")
    assert repr(path) in said
    assert option in said
    assert "dotted path" in said


def test_our_own_packages_are_not_taken_for_strangers() -> None:
    assert check_shadowed_packages() == []
