"""The webhook: who is let in, what is done, and what is not."""

import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.utils import timezone
from waffle.models import Flag, Switch

from rollout.models import Door, Event, Mode, RoutingRule, WebhookCall
from rollout.models.webhook import CALLS_PER_MINUTE, KEPT
from rollout.policy import KILL_SWITCH
from rollout.signing import HEADER, TIME_HEADER, TOLERANCE_SECONDS, sign
from tests.admin_ui.support import flag
from tests.rollout.support import TIMEOUT_SECONDS, Worker, wait_for_lock
from tests.support import Servers, route

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [path("hooks/", include("admin_ui.webhook_urls")), path("", include("tests.urls"))]

ADDRESS = "/hooks/readshift/rollback/"
OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture(autouse=True)
def secrets(settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "WEBHOOK_SECRETS": [NEW, OLD]}


def call(content: object, secret: str = NEW, at: float | None = None, **headers: str) -> Any:
    """Send a signed call as a program would: without cookies, and without a token against forgery."""
    body = json.dumps(content).encode()
    signature = sign(body, secret, time.time() if at is None else at)
    return send(body, **{HEADER: signature, **headers})


def send(body: bytes, **headers: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    return client.post(ADDRESS, body, content_type="application/json", headers=headers)


def mode() -> str:
    return RoutingRule.objects.get().mode


def test_a_signed_call_takes_a_rule_back_and_is_put_down_to_its_secret() -> None:
    route("names", gate=flag(percent="25"))
    response = call({"rule": "endpoint:names", "why": "errors doubled"}, OLD)
    assert response.status_code == 200
    (done,) = response.json()["done"]
    assert (done["rule"], done["before"], done["after"]) == ("endpoint:names", "25 %", "0 %")
    assert Flag.objects.get().everyone is False
    event = Event.objects.get(subject="products")
    assert (event.door, event.who, event.why) == (Door.WEBHOOK, "webhook, secret 2", "errors doubled")


def test_everything_goes_back_by_the_kill_switch(kill_switch: Switch) -> None:
    assert call({"all": True}).status_code == 200
    assert not Switch.objects.get(name=KILL_SWITCH).active


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_reads_go_to_the_primary_after_it(shop: Servers, client: Client) -> None:
    route("names", gate=flag(everyone=True))
    with shop.watch() as before:
        client.get("/test/names/")
    assert call({"rule": "names"}).status_code == 200
    with shop.watch() as after:
        client.get("/test/names/")
    assert (before.primary, before.replicas, after.primary, after.replicas) == (0, 1, 1, 0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: ""},
        {HEADER: "t=1,v1=00"},
        {HEADER: sign(b'{"all": true}', "x" * 32, time.time())},
        {HEADER: sign(b'{"all": true} ', NEW, time.time())},
        {HEADER: sign(b'{"all": true}', NEW, time.time() - TOLERANCE_SECONDS - 5)},
        {"Authorization": f"Bearer {NEW}"},
    ],
)
def test_who_proves_nothing_is_refused_without_a_query(kill_switch: Switch, headers: dict[str, str]) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = send(b'{"all": true}', **headers)
    assert (response.status_code, queries.captured_queries) == (403, [])
    assert Switch.objects.get(name=KILL_SWITCH).active


def test_grafana_signs_with_two_headers(kill_switch: Switch) -> None:
    body, now = b'{"all": true}', str(int(time.time()))
    digest = hmac.new(NEW.encode(), f"{now}:".encode() + body, "sha256").hexdigest()
    assert send(body, **{HEADER: digest, TIME_HEADER: now}).status_code == 200
    assert not Switch.objects.get(name=KILL_SWITCH).active
    assert send(body, **{HEADER: digest}).status_code == 403


def test_a_project_that_asks_everybody_to_log_in_lets_it_through(settings: Any, kill_switch: Switch) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert call({"all": True}).status_code == 200


def test_without_secrets_there_is_no_webhook(settings: Any, kill_switch: Switch) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "WEBHOOK_SECRETS": []}
    assert call({"all": True}, "").status_code == 404


def test_only_post_does_anything(client: Client) -> None:
    assert client.get(ADDRESS).status_code == 405


def test_the_same_call_is_carried_out_once(kill_switch: Switch) -> None:
    at = time.time()
    assert call({"all": True}, at=at).json()["done"]
    Switch.objects.update(active=True)
    again = call({"all": True}, at=at)
    assert (again.status_code, again.json()["done"]) == (200, [])
    assert Switch.objects.get(name=KILL_SWITCH).active
    assert call({"all": True}, at=at + 1).json()["done"]


@pytest.mark.django_db(transaction=True)
def test_the_same_call_at_the_same_time_is_carried_out_once(servers: Servers) -> None:
    at = time.time()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        first = call({"all": True}, at=at)
        second = Worker(pool).start(lambda: call({"all": True}, at=at).json())
        wait_for_lock()
    assert first.json()["done"]
    assert second.result(TIMEOUT_SECONDS) == {"done": [], "note": "This call was carried out before."}


def test_a_call_that_was_refused_may_be_sent_again() -> None:
    at = time.time()
    refused = call({"rule": "names"}, at=at)
    assert (refused.status_code, WebhookCall.objects.count()) == (400, 0)
    assert refused.json()["error"] == "There is no rule “names”. The rules are none: no rule was made yet."
    route("names")
    assert call({"rule": "names"}, at=at).json()["done"]
    assert mode() == Mode.OBSERVE


def test_too_many_calls_are_sent_away_for_a_minute(kill_switch: Switch) -> None:
    now = timezone.now()
    for _ in range(CALLS_PER_MINUTE):
        WebhookCall.objects.create(at=now)
    response = call({"all": True})
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert Switch.objects.get(name=KILL_SWITCH).active
    WebhookCall.objects.update(at=now - timedelta(seconds=61))
    assert call({"all": True}).status_code == 200


def test_calls_are_forgotten_once_their_signatures_are_too_old() -> None:
    now = timezone.now()
    for age in (KEPT + timedelta(seconds=5), KEPT - timedelta(seconds=30)):
        WebhookCall.objects.create(at=now - age)
    call({"all": True})
    assert WebhookCall.objects.count() == 2


def test_a_name_that_means_nothing_keeps_no_other_rule_on_replicas() -> None:
    route("names")
    alerts = [{"status": "firing", "labels": {"readshift_rule": name}} for name in ("names", "deleted")]
    response = call({"status": "firing", "alerts": alerts})
    assert response.status_code == 200
    assert mode() == Mode.OBSERVE
    assert "There is no rule “deleted”" in response.json()["problems"][0]


def test_an_alert_that_is_over_is_answered_well_and_changes_nothing() -> None:
    route("names")
    response = call({"status": "resolved", "commonLabels": {"readshift_rule": "names"}})
    assert (response.status_code, response.json()["done"], mode()) == (200, [], Mode.ROUTE)


def test_a_bearer_token_counts_where_it_is_allowed_and_can_be_sent_again(settings: Any, kill_switch: Switch) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "WEBHOOK_BEARER": True}
    for _ in range(2):
        Switch.objects.update(active=True)
        assert send(b'{"all": true}', Authorization=f"Bearer {NEW}").status_code == 200
        assert not Switch.objects.get(name=KILL_SWITCH).active
    assert Event.objects.first().who == "webhook, secret 1 as a bearer token"  # type: ignore[union-attr]
    Switch.objects.update(active=True)
    for wrong in ({"Authorization": f"Bearer {NEW}x"}, {"Authorization": f"Bearer {NEW}", HEADER: "t=1,v1=00"}):
        assert send(b'{"all": true}', **wrong).status_code == 403
    assert Switch.objects.get(name=KILL_SWITCH).active


def test_what_is_asked_for_can_only_take_back() -> None:
    rule = route("names", mode=Mode.OBSERVE, gate=flag(everyone=False))
    for more in ({"mode": "route"}, {"percent": 100}, {"state": "on"}):
        assert call({"rule": "names", **more}).status_code == 200
    assert (Flag.objects.get().everyone, mode()) == (False, rule.mode)
