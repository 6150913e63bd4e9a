"""The middleware: opens a unit for each request, names its endpoint, and sees to what its actor must be shown next."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from rollout.settings import get_settings, is_idle
from routers import carriers
from routers.current import current_unit, failing, open_unit
from routers.endpoints import UNRESOLVED, view_endpoint
from routers.explaining.header import tell_staff
from routers.fallback import ShedError
from routers.recording import Recording, recorded
from routers.streaming import stream_within
from routers.subjects import RequestParty
from routers.trail import Trail
from routers.unit import Unit, UnitKind
from routers.whereabouts import conclude

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
            # Django would run the other one in a thread, which costs each request a hop there and back.
            self.process_view = self._process_view_async  # type: ignore[assignment]

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        unit = _unit_of(request)
        with open_unit(unit), failing(unit), _recorded() as recording:
            response = cast("HttpResponseBase", self._get_response(request))
        if recording is not None:
            tell_staff(request, response, recording)
        return _finish(request, response, unit)

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        unit = _unit_of(request)
        with open_unit(unit), failing(unit), _recorded() as recording:
            response = await cast("Awaitable[HttpResponseBase]", self._get_response(request))
        if recording is not None:
            tell_staff(request, response, recording)
        if unit.trail.has_news:
            return await sync_to_async(_finish)(request, response, unit)
        return _finish(request, response, unit)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> None:
        """Name the endpoint, and note where the view runs in a transaction only because of ATOMIC_REQUESTS."""
        unit = current_unit()
        if unit is None or request.resolver_match is None:
            return
        unit.enter_endpoint(view_endpoint(request.resolver_match))
        atomic = [alias for alias, options in connections.settings.items() if options["ATOMIC_REQUESTS"]]
        if atomic:
            unit.atomic_aliases = frozenset(atomic).difference(getattr(view, "_non_atomic_requests", ()))

    async def _process_view_async(self, request: HttpRequest, view: Callable[..., Any], *arguments: Any) -> None:
        type(self).process_view(self, request, view, *arguments)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:  # noqa: ARG002 - Django's protocol
        """Answer 503 for a read that was refused, so that clients and load balancers come back later."""
        if not isinstance(exception, ShedError):
            return None
        response = HttpResponse(
            "The service is busy. Try again later.", status=HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain"
        )
        response["Retry-After"] = str(exception.retry_after)
        return response


def _unit_of(request: HttpRequest) -> Unit:
    trail = Trail(RequestParty(request))
    return Unit(UnitKind.REQUEST, UNRESOLVED, trail, is_safe=(request.method or "") in SAFE_METHODS)


_UNRECORDED: AbstractContextManager[Recording | None] = nullcontext()


def _recorded() -> AbstractContextManager[Recording | None]:
    return recorded() if get_settings().explain_header else _UNRECORDED


def _finish(request: HttpRequest, response: HttpResponseBase, unit: Unit) -> HttpResponseBase:
    """Give the actor its token, and keep the unit for a body that is still to come."""
    trail, party = unit.trail, cast("RequestParty", unit.trail.party)
    if trail.has_news and conclude(trail, time.time()):
        carriers.set_cookie(response, trail.token, secure=request.is_secure())
        carriers.set_header(response, trail.token)
        if party.shares_cache and party.actor:
            carriers.leave_in_cache(party.actor, trail.learned)
    failed = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    is_streamed = stream_within(unit, response, failed=failed)
    if not is_streamed:
        unit.end(failed=failed)
    if (is_streamed or trail.has_delegated) and "Authorization" not in request.headers and not is_idle():
        # What is written from now on, in the body or by a task, comes too late for the other cookie.
        carriers.set_errand_cookie(response, secure=request.is_secure())
    return response
