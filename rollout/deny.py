"""The deny list: models whose reads stay on the primary whatever the rules say."""

from collections.abc import Set as AbstractSet
from functools import lru_cache

from django.contrib.auth import get_user_model
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.signals import setting_changed
from django.db.models import Model
from waffle import get_waffle_flag_model, get_waffle_sample_model, get_waffle_switch_model

from rollout.options import ALWAYS_DENIED

_SWAPPABLE = (get_user_model, get_waffle_flag_model, get_waffle_switch_model, get_waffle_sample_model)


@lru_cache(maxsize=4096)
def is_denied(model: type[Model], deny: AbstractSet[str]) -> bool:
    """Say whether the model's app or the model itself is on the list."""
    return bool(denying_entry(model, deny))


def denying_entry(model: type[Model], deny: AbstractSet[str]) -> str:
    """Return the app label or model label on the list that keeps this model on the primary, or an empty text.

    A custom user model, session or gate is denied wherever it lives: they must not be read stale. A proxy, a
    multi-table child and the table of a many-to-many relation are judged by their own label and by those of the models
    they belong to.
    """
    if issubclass(model, AbstractBaseSession):
        return str(model._meta.label)
    custom = {find()._meta.label for find in _SWAPPABLE}
    family = [model, *model._meta.all_parents]
    if isinstance(model._meta.auto_created, type):
        family.append(model._meta.auto_created)
    entries = (entry for relative in family for entry in (relative._meta.app_label, relative._meta.label))
    return next((entry for entry in entries if entry in ALWAYS_DENIED or entry in deny or entry in custom), "")


def _forget(*, setting: str, **_: object) -> None:
    if setting == "AUTH_USER_MODEL" or setting.startswith("WAFFLE_"):
        is_denied.cache_clear()


setting_changed.connect(_forget, dispatch_uid="readshift.deny")
