"""What is explained is what then happens: each situation is explained, read, and compared, on real servers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory
from waffle.models import Flag, Switch

from admin_ui.explain.inquiry import Inquiry, supposed_read
from rollout import operations
from rollout.bucketing import bucket
from rollout.models import GateKind, Mode, TallyKind, TargetKind
from rollout.reasons import Reason
from rollout.settings import get_settings
from routers.carriers import COOKIE
from routers.explaining.rungs import Explanation
from routers.explaining.supposing import explain_read
from routers.meter import meter
from routers.subjects import RequestParty
from tests.rollout.support import create_flag
from tests.support import Servers, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def party_of(client: Client) -> RequestParty:
    """Return whom a request of this client serves."""
    request = RequestFactory().get("/test/names/")
    request.COOKIES.update({name: morsel.value for name, morsel in client.cookies.items()})
    return RequestParty(request)


def explained(client: Client, *, user: str = "", method: str = "GET") -> Explanation:
    party = party_of(client)
    inquiry = Inquiry(
        "/test/names/", "shop.Product", user=user, actor=party.actor or "", method=method, token=party.token
    )
    return explain_read(supposed_read(inquiry, "default"), "default")


def happened(client: Client, *, method: str = "GET") -> list[tuple[str, str, str]]:
    """Make the read, and return alias, reason and candidate as they were counted."""
    meter.take()
    assert client.generic(method, "/test/names/").status_code == 200
    return [
        (series.alias, series.reason, series.candidate)
        for series in meter.take()
        if series.kind == TallyKind.DECISION and series.model == "shop.Product"
    ]


def flag_gate(**options: Any) -> tuple[str, str]:
    create_flag("names", **options)
    return GateKind.FLAG, "names"


def percent_on(side: str) -> Callable[..., None]:
    """Route for the smallest percentage in whole steps of 0.1 that lets the actor in, or the next one below."""

    def set_up(client: Client, **_: Any) -> None:
        number = bucket("names", party_of(client).actor or "")
        percent = (number // 100 + (side == "in")) / 10
        assert 0 < percent <= 99.9
        route("names", gate=flag_gate(percent=percent))

    return set_up


def in_group(client: Client, user: User, **_: Any) -> None:
    group = Group.objects.create(name="testers")
    user.groups.add(group)
    route("names", gate=flag_gate())
    Flag.objects.get(name="names").groups.add(group)


def two_pools(settings: Any, **_: Any) -> None:
    replicas = {"replica1": {}, "replica2": {"POOL": "reporting"}}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": {"default": {"REPLICAS": replicas}}}
    route("names")
    route("shop.Product", kind=TargetKind.MODEL, pool="reporting")


def all_drained(**_: Any) -> None:
    route("names")
    for alias in get_settings().replicas:
        operations.drain(alias, "ada", "", "default")


def denied(settings: Any, **_: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "DENY": ["shop.Product"]}
    route("names")


def disabled(settings: Any, **_: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "ENABLED": False}
    route("names")


def killed(**_: Any) -> None:
    route("names")
    Switch.objects.filter(name="readshift").update(active=False)


def with_a_token_of_others(client: Client, **_: Any) -> None:
    client.cookies[COOKIE] = "not ours"
    route("names")


@pytest.mark.parametrize(
    ("set_up", "reason"),
    [
        pytest.param(lambda **_: None, Reason.NO_RULE, id="no rule"),
        pytest.param(lambda **_: route("names"), Reason.ROUTED, id="routed"),
        pytest.param(lambda **_: route("names", mode=Mode.OBSERVE), Reason.OBSERVED, id="observed"),
        pytest.param(lambda **_: route("names", mode=Mode.PIN), Reason.PINNED, id="pinned"),
        pytest.param(lambda **_: route("names", contract="strict"), Reason.STRICT, id="strict"),
        pytest.param(killed, Reason.KILL_SWITCH, id="kill switch"),
        pytest.param(disabled, Reason.DISABLED, id="disabled"),
        pytest.param(denied, Reason.DENIED, id="denied"),
        pytest.param(two_pools, Reason.CONTRADICTION, id="two pools"),
        pytest.param(lambda **_: route("names", pool="nowhere"), Reason.NO_REPLICA, id="empty pool"),
        pytest.param(all_drained, Reason.NO_REPLICA, id="drained"),
        pytest.param(with_a_token_of_others, Reason.FOREIGN_TOKEN, id="foreign token"),
        pytest.param(lambda **_: route("names", gate=(GateKind.FLAG, "gone")), Reason.GATE_MISSING, id="no such flag"),
        pytest.param(percent_on("in"), Reason.ROUTED, id="within the percentage"),
        pytest.param(percent_on("out"), Reason.GATE_OFF, id="outside the percentage"),
        pytest.param(lambda **_: route("names", gate=flag_gate(staff=True)), Reason.GATE_OFF, id="staff alone"),
        pytest.param(
            lambda **_: route("names", gate=flag_gate(authenticated=True)), Reason.ROUTED, id="whoever is logged in"
        ),
        pytest.param(in_group, Reason.ROUTED, id="a group"),
    ],
)
def test_what_is_explained_is_what_happens(
    shop: Servers, client: Client, settings: Any, set_up: Callable[..., None], reason: Reason
) -> None:
    user = User.objects.create_user("grace")
    client.force_login(user)
    set_up(client=client, user=user, settings=settings)
    shop.settle()
    said = explained(client, user="grace").decision
    assert said.reason is reason
    assert happened(client) == [(said.alias, said.reason, said.candidate)]


def test_a_method_that_may_write_is_explained(shop: Servers, client: Client) -> None:
    route("names")
    said = explained(client, method="POST").decision
    assert said.reason is Reason.UNSAFE_METHOD
    assert happened(client, method="POST") == [(said.alias, said.reason, said.candidate)]


def test_an_actor_who_wrote_what_the_replicas_do_not_show_yet(shop: Servers, client: Client, settings: Any) -> None:
    route("names")
    with probing(settings):
        with shop.held():
            client.get("/test/read-write-read/")
            said = explained(client)
            assert said.decision.reason is Reason.BEHIND
            assert happened(client) == [("default", Reason.BEHIND, "")]
        (replica,) = (rung for rung in said.rungs if rung.decides)
        assert any("The actor must be shown everything up to position" in fact for fact in replica.facts)
        shop.settle()
        said = explained(client)
        assert said.decision.reason is Reason.ROUTED
        assert happened(client) == [(said.decision.alias, Reason.ROUTED, "")]


def test_a_process_that_knows_nothing_asks_the_servers_itself(shop: Servers, client: Client, settings: Any) -> None:
    route("names")
    before = settings.READSHIFT
    settings.READSHIFT = {**before, "POLICY_REFRESH": "background"}
    said = explained(client)
    assert said.decision.reason is Reason.ROUTED
    facts = next(rung.facts for rung in said.rungs if rung.step.name == "REPLICA")
    for alias in ("replica1", "replica2"):
        assert any(fact.startswith(f"{alias} serves reads, at ") for fact in facts)
