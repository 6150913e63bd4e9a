"""The setting of the running project."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from rollout.settings import Refresh, get_problems, get_settings, refresh

ONE_REPLICA = {"CLUSTERS": {"default": {"REPLICAS": ["replica1"]}}}


def test_the_setting_is_parsed_once() -> None:
    assert get_settings() is get_settings()


def test_an_overridden_setting_is_followed_and_forgotten_afterwards() -> None:
    before = get_settings()
    with override_settings(READSHIFT=ONE_REPLICA):
        assert set(get_settings().replicas) == {"replica1"}
        with override_settings(READSHIFT={**ONE_REPLICA, "ENABLED": False}):
            assert not get_settings().enabled
        assert get_settings().enabled
    assert get_settings() == before


def test_a_project_without_the_setting_routes_nothing() -> None:
    with override_settings(READSHIFT=ONE_REPLICA):
        del django_settings.READSHIFT
        assert not get_settings().clusters
        assert get_problems() == ()


def test_a_wrong_setting_routes_nothing() -> None:
    with override_settings(READSHIFT={**ONE_REPLICA, "RETENTION_DAYS": 0}):
        assert not get_settings().enabled
        assert not get_settings().clusters
        assert [problem.code for problem in get_problems()] == ["readshift.E003"]


def test_a_switched_off_setting_keeps_its_clusters_so_that_writes_still_find_their_primary() -> None:
    with override_settings(READSHIFT={**ONE_REPLICA, "ENABLED": False}):
        assert set(get_settings().clusters) == {"default"}


def test_the_setting_of_this_suite_names_both_replicas() -> None:
    assert get_problems() == ()
    assert set(get_settings().replicas) == set(django_settings.DATABASES) - {"default"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, Refresh.OFF),
        ({"POLICY_REFRESH": "auto"}, Refresh.OFF),
        ({"POLICY_REFRESH": "background"}, Refresh.BACKGROUND),
        ({"POLICY_REFRESH": "inline"}, Refresh.INLINE),
        ({"POLICY_REFRESH": "inline", "ENABLED": False}, Refresh.OFF),
    ],
)
def test_under_a_test_runner_nothing_is_routed_unless_asked_for(
    options: dict[str, object], expected: Refresh, settings: Any
) -> None:
    settings.READSHIFT = options
    assert refresh() is expected


def test_outside_a_test_runner_the_background_is_the_default(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.READSHIFT = {}
    monkeypatch.delattr("django.test.utils._TestState.saved_data")
    assert refresh() is Refresh.BACKGROUND
