"""The address that Prometheus asks, and who may ask it."""

import logging
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from admin_ui.metrics.prometheus import exposition
from admin_ui.permissions import Powers
from rollout.settings import get_settings
from rollout.signing import place_of

logger = logging.getLogger("readshift")

_BEARER = "Bearer "


@require_safe
@never_cache
@login_not_required
@transaction.non_atomic_requests
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics to a program with one of `METRICS_TOKENS` or to somebody who may see the dashboard.

    403: neither. 404: neither, and no token is set, so that nothing tells that there is an address. 503: whether a
    session may see them could not be asked. Whoever sends no session and no valid token costs no query. A program is
    answered while the database is away as well, with what this process sees.
    """
    try:
        is_let_in = _is_let_in(request)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Who asks for the metrics could not be found out: %s", error)
        return HttpResponse(
            "The database did not answer, so nobody knows who you are. Ask with one of METRICS_TOKENS.\n",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            content_type="text/plain; charset=utf-8",
        )
    if not is_let_in:
        if not get_settings().metrics_tokens:
            raise Http404("READSHIFT names no METRICS_TOKENS.")
        raise PermissionDenied
    body, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)


def _is_let_in(request: HttpRequest) -> bool:
    credentials = request.headers.get("Authorization", "")
    if credentials.startswith(_BEARER):
        return place_of(credentials.removeprefix(_BEARER), get_settings().metrics_tokens) is not None
    user = getattr(request, "user", None)
    return user is not None and user.is_active and user.is_staff and Powers.of(user).may_see
