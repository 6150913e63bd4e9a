"""The door for alert managers: a call that proves where it comes from takes reads back to the primary, and no more."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from admin_ui.operating.orders import Order, OrderError, read_order
from rollout.acting import Acting, acting
from rollout.models import Door, RoutingRule, WebhookCall
from rollout.models.webhook import MINUTE, Admission
from rollout.naming import rules_named
from rollout.options import Settings
from rollout.rollback import all_or_nothing, roll_back_all, roll_back_rules
from rollout.settings import get_settings
from rollout.signing import HEADER, TIME_HEADER, place_of, verify
from routers.control import control_alias
from routers.own_work import own_work

_BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """name: for events. signature: what makes the call unlike all others, or None for one that was not signed."""

    name: str
    signature: bytes | None = None


class RefusalError(Exception):
    """A call that is not carried out. The message goes to the caller. retry_after: in seconds, if it may be."""

    def __init__(self, status: HTTPStatus, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.response = JsonResponse({"error": message}, status=status)
        if retry_after is not None:
            self.response["Retry-After"] = str(retry_after)


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def rollback(request: HttpRequest) -> HttpResponseBase:
    """Take back what the body asks for. Whoever proves nothing costs no query.

    200: it is done, or was done before, or there is nothing to do. 400: the body names nothing that there is. 403: no
    signature, or a wrong or old one. 404: no secret is set. 503 with Retry-After: too many calls; alert managers try
    again after 5xx alone, and would drop what is answered with 429.
    """
    settings = get_settings()
    if not settings.webhook_secrets:
        raise Http404("READSHIFT names no WEBHOOK_SECRETS.")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    now = timezone.now()
    try:
        caller = _caller(request, settings, now.timestamp())
        return JsonResponse(_obey(caller, _order(request.body), now))
    except RefusalError as refusal:
        return refusal.response


def _order(body: bytes) -> Order:
    try:
        return read_order(body)
    except OrderError as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, str(error)) from error


def _obey(caller: Caller, order: Order, now: datetime) -> dict[str, Any]:
    """Carry an order out in one transaction with the note that it was, and return what to answer."""
    if not order.everything and not order.names:
        return {"done": [], "note": "The alert is over, so there is nothing to do."}
    using = control_alias()
    with own_work(), acting(Acting(Door.WEBHOOK, lambda: caller.name, order.why)), all_or_nothing(using):
        match WebhookCall.objects.admit(caller.signature, now, using):
            case Admission.SEEN:
                return {"done": [], "note": "This call was carried out before."}
            case Admission.TOO_MANY:
                busy, minute = HTTPStatus.SERVICE_UNAVAILABLE, int(MINUTE.total_seconds())
                raise RefusalError(busy, "Too many calls in the last minute. Try again.", minute)
        return _take_back(order, using)


def _take_back(order: Order, using: str) -> dict[str, Any]:
    """Do it. A name that means nothing keeps no other rule on replicas; if none means anything, the call is refused."""
    if order.everything:
        return {"done": [roll_back_all(using).as_json()]}
    named = rules_named(order.names, RoutingRule.objects.using(using).all())
    if not named.rules:
        raise RefusalError(HTTPStatus.BAD_REQUEST, " ".join(named.problems))
    return {
        "done": [one.as_json() for one in roll_back_rules(named.rules, using)],
        "problems": list(named.problems),
    }


def _caller(request: HttpRequest, settings: Settings, now: float) -> Caller:
    """Return who calls. A call that is signed wrongly is not looked at again for a token."""
    header, credentials = request.headers.get(HEADER), request.headers.get("Authorization", "")
    if header is not None:
        sent_at = request.headers.get(TIME_HEADER, "")
        if signed := verify(header, request.body, settings.webhook_secrets, now, sent_at):
            return Caller(f"webhook, secret {signed.secret + 1}", signed.signature)
    elif settings.webhook_bearer and credentials.startswith(_BEARER):
        place = place_of(credentials.removeprefix(_BEARER), settings.webhook_secrets)
        if place is not None:
            return Caller(f"webhook, secret {place + 1} as a bearer token")
    raise RefusalError(
        HTTPStatus.FORBIDDEN, f"The call has no valid {HEADER}, or an old one. Check the secret and the clock."
    )
