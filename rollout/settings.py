"""This project's `READSHIFT` setting, parsed once."""

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


def get_problems() -> tuple[Problem, ...]:
    """Return what is wrong with the setting of this project."""
    return _current()[1]


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"READSHIFT", "DATABASES"}:
        _current.cache_clear()


setting_changed.connect(_forget, dispatch_uid="readshift.settings")
