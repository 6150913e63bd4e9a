"""What somebody asks about, as text, and the read that it means."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import router
from django.db.models import Model
from django.urls import Resolver404, resolve

from admin_ui.rules.problems import MANY, possible_endpoints, unknown_endpoint_message
from rollout.settings import get_settings
from routers.endpoints import view_endpoint
from routers.explaining.supposing import NoClusterError, SupposedRead, cluster_of
from routers.subjects import ACTOR_KEY_LENGTH, actor_key
from routers.tokens import NOTHING, Token

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
OWN = "own:"
"""What comes before the text that the project's own actor function returns."""

_SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies"
_KEY = re.compile(f"[0-9a-f]{{{ACTOR_KEY_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What was typed. endpoint: its name, or a path that begins with a slash. Anything else may be empty.

    actor: a key, or own: and what the project's actor function returns.
    """

    endpoint: str
    model: str = ""
    user: str = ""
    actor: str = ""
    method: str = "GET"
    language: str = ""
    token: Token = NOTHING


def supposed_read(inquiry: Inquiry, using: str) -> SupposedRead:
    """Return the read that is meant. using: the alias of the database with the counts.

    Looks for the user by name, so whoever asks must be allowed to know which users there are. Raises ValidationError,
    for the field and with what comes close, for what does not exist.
    """
    model = _model(inquiry.model) if inquiry.model else None
    user = _user(inquiry.user) if inquiry.user else None
    read = SupposedRead(
        endpoint=_endpoint(inquiry.endpoint, using),
        model=model,
        method=_method(inquiry.method),
        actor=_actor(inquiry.actor, user),
        user=user,
        language=inquiry.language or None,
        token=inquiry.token,
    )
    try:
        cluster_of(read)
    except NoClusterError as error:
        raise ValidationError({"model": str(error)}) from None
    return read


def model_labels() -> list[str]:
    """Return the labels of all models whose reads Readshift decides about."""
    cluster_for_app = get_settings().cluster_for_app
    return sorted(model._meta.label for model in apps.get_models() if cluster_for_app(model._meta.app_label))


def _endpoint(name: str, using: str) -> str:
    if name.startswith("/"):
        try:
            return view_endpoint(resolve(name.partition("?")[0]))
        except Resolver404:
            raise ValidationError({"endpoint": f"No view answers the path “{name}”."}) from None
    if not name:
        raise ValidationError({"endpoint": "Name an endpoint, such as shop:product-list, or a path."})
    if name not in possible_endpoints([name], using):
        raise ValidationError({"endpoint": unknown_endpoint_message(name, using)})
    return name


def _model(label: str) -> type[Model]:
    try:
        model: type[Model] = apps.get_model(label)
    except (LookupError, ValueError):
        labels = [model._meta.label for model in apps.get_models()]
        by_lower = {label.lower(): label for label in labels}
        close = [by_lower[match] for match in get_close_matches(label.lower(), by_lower, n=MANY)]
        meant = f" Did you mean {' or '.join(f'“{match}”' for match in close)}?" if close else ""
        raise ValidationError(
            {"model": f"No installed model is labelled “{label}”.{meant} Write app_label.ModelName."}
        ) from None
    return model


def _user(name: str) -> Any:
    model = get_user_model()
    try:
        return model._default_manager.using(router.db_for_write(model)).get(**{model.USERNAME_FIELD: name})
    except model.DoesNotExist:
        raise ValidationError({"user": f"No user is named “{name}”."}) from None


def _actor(text: str, user: Any) -> str | None:
    """Return the actor's key. Of a user it is known only where sessions are kept in signed cookies."""
    has_own_function = get_settings().actor is not None
    if text.startswith(OWN):
        if not has_own_function:
            raise ValidationError({"actor": 'There is no actor function: READSHIFT["ACTOR"] is None. Give a key.'})
        return actor_key("own", text.removeprefix(OWN))
    if text and not _KEY.fullmatch(text):
        raise ValidationError(
            {
                "actor": f"“{text}” is no actor's key. Write {ACTOR_KEY_LENGTH} hexadecimal digits, as the panel of "
                f"the debug toolbar shows them, or {OWN} and what your actor function returns."
            }
        )
    if not text and user is not None and not has_own_function and django_settings.SESSION_ENGINE == _SIGNED_COOKIES:
        return actor_key("session", str(user.pk))
    return text or None


def _method(name: str) -> str:
    method = name.upper()
    if method not in METHODS:
        raise ValidationError({"method": f"“{name}” is no HTTP method. Write one of {', '.join(METHODS)}."})
    return method
