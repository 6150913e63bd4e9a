"""Where the reads of requests go, as the servers saw it."""

import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from waffle.models import Flag, Switch
from waffle.testutils import override_flag, override_sample, override_switch

from demo.shop.models import Category
from rollout.models import GateKind, Mode, RoutingRule, TargetKind
from rollout.reasons import Reason
from routers.carriers import COOKIE
from routers.meter import meter
from routers.middleware import ReadshiftMiddleware
from routers.tokens import decode
from tests.support import Reads, Servers, decisions, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def get_names(shop: Servers, client: Client, **headers: str) -> Reads:
    with shop.watch() as reads:
        response = client.get("/test/names/", headers=headers)
    assert response.json() == {"names": ["Assam", "Sencha"]}
    return reads


def test_a_routed_endpoint_reads_from_a_replica(shop: Servers, client: Client) -> None:
    route("names")
    assert get_names(shop, client).replicas == 1
    assert decisions() == {Reason.ROUTED: 1}


def test_an_endpoint_without_a_rule_reads_from_the_primary(shop: Servers, client: Client) -> None:
    assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.NO_RULE: 1}


def test_a_routed_model_reads_from_a_replica_at_any_endpoint(shop: Servers, client: Client) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    assert get_names(shop, client).replicas == 1


def test_a_view_without_a_name_is_known_by_its_route(shop: Servers, client: Client) -> None:
    route("test/unnamed/<int:number>/")
    with shop.watch() as reads:
        client.get("/test/unnamed/7/")
    assert reads.replicas == 1


def test_an_async_view_reads_from_a_replica(shop: Servers) -> None:
    route("names-async")
    with shop.watch() as reads:
        response = async_to_sync(AsyncClient().get)("/test/names-async/")
    assert response.json() == {"names": ["Assam", "Sencha"]}
    assert (reads.primary, reads.replicas) == (0, 1)


def test_the_kill_switch_sends_every_read_to_the_primary(shop: Servers, client: Client) -> None:
    route("names")
    with override_switch("readshift", active=False):
        assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.KILL_SWITCH: 1}


def test_without_the_kill_switch_nothing_is_routed(shop: Servers, client: Client) -> None:
    route("names")
    Switch.objects.all().delete()
    assert get_names(shop, client).primary == 1


def test_a_pinned_endpoint_reads_from_the_primary(shop: Servers, client: Client) -> None:
    route("names", mode=Mode.PIN)
    assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.PINNED: 1}


def test_a_pinned_model_stays_on_the_primary_at_a_routed_endpoint(shop: Servers, client: Client) -> None:
    route("names")
    route("shop.Product", kind=TargetKind.MODEL, mode=Mode.PIN)
    assert get_names(shop, client).primary == 1


def test_an_observed_endpoint_reads_from_the_primary_and_counts_the_replica(shop: Servers, client: Client) -> None:
    route("names", mode=Mode.OBSERVE)
    assert get_names(shop, client).primary == 1
    (series,) = [series for series in meter.take() if series.kind == "decision"]
    assert series.reason == Reason.OBSERVED
    assert series.candidate in {"replica1", "replica2"}


def test_a_rule_for_another_pool_finds_no_replica(shop: Servers, client: Client) -> None:
    route("names", pool="reporting")
    assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.NO_REPLICA: 1}


def test_rules_that_name_different_pools_leave_the_read_on_the_primary(shop: Servers, client: Client) -> None:
    route("names")
    route("shop.Product", kind=TargetKind.MODEL, pool="reporting")
    assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.CONTRADICTION: 1}


def test_an_unsafe_method_reads_from_the_primary(shop: Servers, client: Client) -> None:
    route("names")
    with shop.watch() as reads:
        client.post("/test/names/")
    assert reads.primary == 1
    assert decisions() == {Reason.UNSAFE_METHOD: 1}


def test_a_read_inside_a_transaction_stays_on_the_primary(shop: Servers, client: Client) -> None:
    route("in-transaction")
    with shop.watch() as reads:
        client.get("/test/in-transaction/")
    # The second read comes after the transaction, and does not go back in time.
    assert (reads.primary, reads.replicas) == (2, 0)


def test_atomic_requests_alone_keep_no_read_on_the_primary(shop: Servers, client: Client) -> None:
    route("names")
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = True
    try:
        assert get_names(shop, client).replicas == 1
    finally:
        connections["default"].settings_dict["ATOMIC_REQUESTS"] = False


def test_after_a_write_the_unit_stays_on_the_primary(shop: Servers, client: Client) -> None:
    route("read-write-read")
    with shop.watch() as reads:
        assert client.get("/test/read-write-read/").content == b"2 2"
    assert (reads.primary, reads.replicas) == (1, 1)


def test_a_flag_decides_for_whom(shop: Servers, client: Client) -> None:
    route("names", gate=(GateKind.FLAG, "names-on-replicas"))
    Flag.objects.create(name="names-on-replicas", superusers=False)
    assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.GATE_OFF: 1}
    with override_flag("names-on-replicas", active=True):
        assert get_names(shop, client).replicas == 1


def test_a_flag_for_one_user_serves_that_user_from_a_replica(shop: Servers, client: Client) -> None:
    route("names", gate=(GateKind.FLAG, "names-on-replicas"))
    flag: Any = Flag.objects.create(name="names-on-replicas", superusers=False)
    flag.users.add(User.objects.create_user("ada"))
    User.objects.create_user("bob")
    for name, on_replica in (("ada", 1), ("bob", 0)):
        client.force_login(User.objects.get(username=name))
        client.cookies.pop(COOKIE, None)
        assert get_names(shop, client).replicas == on_replica


def test_the_user_is_not_looked_up_for_a_percentage(shop: Servers, client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))
    route("names", gate=(GateKind.FLAG, "names-on-replicas"))
    Flag.objects.create(name="names-on-replicas", superusers=False, percent="50.0")
    with shop.watch("auth_user") as reads:
        client.get("/test/names/")
    assert reads.total == 0


def test_switches_and_samples_are_gates_too(shop: Servers, client: Client) -> None:
    rule = route("names", gate=(GateKind.SWITCH, "gate"))
    with override_switch("gate", active=True):
        assert get_names(shop, client).replicas == 1
    with override_switch("gate", active=False):
        assert get_names(shop, client).primary == 1
    RoutingRule.objects.filter(pk=rule.pk).delete()
    route("names", gate=(GateKind.SAMPLE, "gate"))
    with override_sample("gate", active=True):
        assert get_names(shop, client).replicas == 1
    with override_sample("gate", active=False):
        assert get_names(shop, client).primary == 1


def test_a_deleted_flag_sends_its_reads_to_the_primary(shop: Servers, client: Client) -> None:
    route("names", gate=(GateKind.FLAG, "names-on-replicas"))
    Flag.objects.create(name="names-on-replicas", everyone=True).delete()
    assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.GATE_MISSING: 1}


def test_an_actor_keeps_to_one_replica(shop: Servers, client: Client) -> None:
    route("names")
    client.force_login(User.objects.create_user("ada"))
    with shop.watch() as reads:
        for _ in range(8):
            client.get("/test/names/")
    assert sorted(reads.by_server.values()) == [0, 0, 8]


def test_many_actors_spread_over_the_replicas(shop: Servers) -> None:
    route("names")
    with shop.watch() as reads:
        for number in range(40):
            Client().get("/test/names/", headers={"user-agent": f"browser {number}"})
    assert reads.by_server["primary"] == 0
    assert min(reads.by_server["replica1"], reads.by_server["replica2"]) > 5


def test_sessions_and_users_are_read_from_the_primary_whatever_the_rules_say(shop: Servers, client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))
    route("shop:order-list")
    for table in ("django_session", "auth_user"):
        with shop.watch(table) as reads:
            assert client.get("/orders/").status_code == 200
        assert (reads.primary, reads.replicas) == (1, 0), table


def test_a_host_can_deny_more(shop: Servers, client: Client, settings) -> None:
    route("names")
    settings.READSHIFT = {**settings.READSHIFT, "DENY": ["shop.Product"]}
    assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.DENIED: 1}


def test_a_wrong_setting_reads_from_the_default_database(shop: Servers, client: Client, settings) -> None:
    route("names")
    settings.READSHIFT = {"CLUSTERS": {"default": {"REPLICAS": ["replica1", "nowhere"]}}}
    assert get_names(shop, client).primary == 1


def test_a_host_can_name_its_actors_itself(shop: Servers, settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "ACTOR": "tests.support.account_header"}
    route("names")
    with shop.watch() as reads:
        for number in range(8):
            Client().get("/test/names/", headers={"x-account": "acme", "user-agent": f"browser {number}"})
    assert sorted(reads.by_server.values()) == [0, 0, 8]


def test_a_failure_of_our_own_reads_from_the_primary(shop: Servers, client: Client, settings, caplog) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "ACTOR": "tests.support.no_such_function"}
    route("names")
    assert get_names(shop, client).primary == 1
    assert decisions() == {Reason.ROUTER_ERROR: 1}
    assert "shop.Product" in caplog.text


def test_before_migrate_every_read_goes_to_the_primary(shop: Servers, client: Client, caplog) -> None:
    route("names")
    connection.cursor().execute("ALTER TABLE readshift_routingrule RENAME TO elsewhere")
    try:
        assert get_names(shop, client).primary == 1
        assert decisions() == {Reason.POLICY_MISSING: 1}
        assert "migrate" in caplog.text
    finally:
        connection.cursor().execute("ALTER TABLE elsewhere RENAME TO readshift_routingrule")


def test_a_write_under_an_asynchronous_server_is_followed_as_well(shop: Servers) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        await Category.objects.acreate(name="Coffee", slug="coffee")
        return HttpResponse()

    middleware: Any = ReadshiftMiddleware(view)
    response = async_to_sync(middleware)(RequestFactory().post("/"))
    (floor,) = decode(response.cookies[COOKIE].value, time.time()).floors_of("default")
    assert floor.lsn > 0
