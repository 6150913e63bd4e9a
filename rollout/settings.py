"""This project's `READSHIFT` setting, parsed once."""

import sys
from enum import Enum
from functools import cache

from django.conf import settings as django_settings
from django.core.signals import setting_changed

from rollout.options import Problem, Settings
from rollout.parsing import parse


@cache
def _current() -> tuple[Settings, tuple[Problem, ...]]:
    return parse(getattr(django_settings, "READSHIFT", {}), django_settings.DATABASES)


def get_settings() -> Settings:
    """Return the parsed setting of this project. It follows `override_settings`."""
    return _current()[0]


class Refresh(Enum):
    """How this process comes by its policy. OFF: not at all, and nothing is routed."""

    BACKGROUND = "background"
    INLINE = "inline"
    OFF = "off"


def refresh() -> Refresh:
    """Return how this process comes by its policy.

    A project's own tests see no thread that holds on to their database, no query that they did not make, and no read
    from a replica that cannot see their transaction, unless they ask for it.
    """
    settings = get_settings()
    if not settings.enabled or is_idle():
        return Refresh.OFF
    return Refresh.INLINE if settings.policy_refresh == "inline" else Refresh.BACKGROUND


def is_idle() -> bool:
    """Say whether this is a test of the project's own, in which nobody will ever ask what it has written.

    A process that routes nothing because of `ENABLED` is another matter: its actors are served by others as well.
    """
    return get_settings().policy_refresh == "auto" and _is_under_test()


def _is_under_test() -> bool:
    """Say whether `setup_test_environment()` was called, by Django's runner, pytest-django or another one.

    What it keeps in `_TestState` is the only trace that other code does not leave as well.
    """
    state = getattr(sys.modules.get("django.test.utils"), "_TestState", None)
    return hasattr(state, "saved_data")


def get_problems() -> tuple[Problem, ...]:
    """Return what is wrong with the setting of this project."""
    return _current()[1]


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"READSHIFT", "DATABASES"}:
        _current.cache_clear()


setting_changed.connect(_forget, dispatch_uid="readshift.settings")
