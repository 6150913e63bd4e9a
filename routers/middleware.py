"""The middleware: opens a unit for each request, names its endpoint, and remembers its writes."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from rollout.settings import get_settings
from routers import pins
from routers.endpoints import UNRESOLVED, view_endpoint
from routers.streaming import stream_within
from routers.subjects import RequestParty
from routers.unit import Unit, UnitKind, current_unit, open_unit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

GetResponse = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class ReadshiftMiddleware:
    """Works under WSGI and ASGI, and at any place in MIDDLEWARE; first is best, so that it sees every read."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        with _open(request) as unit:
            response = cast("HttpResponseBase", self._get_response(request))
        return _finish(request, response, unit)

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        with _open(request) as unit:
            response = await cast("Awaitable[HttpResponseBase]", self._get_response(request))
        return _finish(request, response, unit)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> None:
        """Name the endpoint, and note where the view runs in a transaction only because of ATOMIC_REQUESTS."""
        unit = current_unit()
        if unit is None or request.resolver_match is None:
            return
        unit.enter_endpoint(view_endpoint(request.resolver_match))
        exempt = getattr(view, "_non_atomic_requests", ())
        unit.atomic_aliases = frozenset(
            alias
            for alias, options in connections.settings.items()
            if options["ATOMIC_REQUESTS"] and alias not in exempt
        )


def _open(request: HttpRequest) -> AbstractContextManager[Unit]:
    return open_unit(
        Unit(UnitKind.REQUEST, UNRESOLVED, RequestParty(request), is_safe=(request.method or "") in SAFE_METHODS)
    )


def _finish(request: HttpRequest, response: HttpResponseBase, unit: Unit) -> HttpResponseBase:
    """Keep the actor on the primary for a while after a request that wrote, and the unit for a body still to come."""
    if unit.written:
        until = time.time() + get_settings().write_pin_seconds
        party = cast("RequestParty", unit.party)
        pins.set_cookie(response, until, secure=request.is_secure())
        if not party.keeps_cookies and party.actor:
            pins.set_cache(party.actor, until)
    stream_within(unit, response)
    return response
