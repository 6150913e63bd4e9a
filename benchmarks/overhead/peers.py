"""What a team would write itself: a router that always answers a replica, and one that asks waffle each time."""

import threading
from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from waffle import flag_is_active

from benchmarks.overhead.content import FLAG, REPLICA

_PRIMARY = "default"
_LOCAL = threading.local()
_OWN_NEEDS = frozenset({"auth", "contenttypes", "sessions", "waffle"})
"""What waffle itself reads while it answers."""


class ConstantRouter:
    """The least that a router can do."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:  # noqa: ARG002 - Django's protocol
        return REPLICA

    def db_for_write(self, model: type[Model], **hints: Any) -> str:  # noqa: ARG002 - Django's protocol
        return _PRIMARY


class NaiveWaffleRouter(ConstantRouter):
    """Asks the flag for the request of this thread, at each read."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:  # noqa: ARG002 - Django's protocol
        request = getattr(_LOCAL, "request", None)
        if request is None or model._meta.app_label in _OWN_NEEDS:
            return _PRIMARY
        return REPLICA if flag_is_active(request, FLAG) else _PRIMARY


class RequestMiddleware:
    """Lets the router find the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _LOCAL.request = request
        try:
            return self._get_response(request)
        finally:
            _LOCAL.request = None
