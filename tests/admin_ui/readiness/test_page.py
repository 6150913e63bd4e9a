"""The page of the replicas: what it shows of real servers, to whom, and what its buttons do."""

import re
from html import unescape

import pytest
from django.test import Client

from demo.waiting import wait_until
from rollout.models import DrainedReplica
from tests.admin_ui.conftest import StaffClient
from tests.admin_ui.support import DASHBOARD, messages, queries_of, text
from tests.routers import faults
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

PAGE = f"{DASHBOARD}replicas/"
INSPECTED = f"{PAGE}?inspect=1"
FACTS = f"{PAGE}facts/"
DRAIN = f"{PAGE}drain/"
UNDRAIN = f"{PAGE}undrain/"


def said(client: Client, address: str) -> str:
    """Return the words of a page with plain spaces."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", text(client.get(address)))).split())


def test_the_page_asks_no_server_and_has_them_asked_with_or_without_a_script(servers: Servers, viewer: Client) -> None:
    page = text(viewer.get(PAGE))
    assert f'hx-get="{FACTS}" hx-trigger="load"' in page
    assert re.search(rf'<form method="get" action="{PAGE}".*?name="inspect" value="1"', page, re.DOTALL)
    assert "System identifier" not in page
    assert "has not been asked yet" in said(viewer, PAGE)
    assert 'aria-current="page">Replicas<' in page


@pytest.mark.parametrize("address", [INSPECTED, FACTS])
def test_it_shows_what_the_servers_say_and_what_follows(servers: Servers, viewer: Client, address: str) -> None:
    servers.settle()
    ((system,),) = servers.cluster.primary.query("SELECT system_identifier FROM pg_control_system()")
    shown = said(viewer, address)
    assert shown.count(f"System identifier {system}") == 3
    assert "Failover readiness of default" in shown
    assert "Receiver streaming from 127.0.0.1:" in shown
    assert "Slot replica1: active, reserved, keeps " in shown
    assert re.search(r"default, replica1, replica2: PostgreSQL \d+", shown)
    assert "default: has no connect_timeout" in shown
    assert shown.count("hot_standby_feedback off well") == 2
    assert shown.count("Queries that replay has cancelled") == 2


def test_a_fragment_is_no_page(servers: Servers, viewer: Client) -> None:
    assert "<html" not in text(viewer.get(FACTS))


def test_a_replica_that_hangs_is_named_and_the_others_are_shown(servers: Servers, viewer: Client) -> None:
    hanging = servers.cluster.replicas[0]
    hanging.hang()
    try:
        shown = said(viewer, INSPECTED)
    finally:
        hanging.resume()
    assert "replica1: did not answer within 2 s" in shown
    assert "Every server answers fails" in shown
    assert "It did not answer within 2 s." in shown
    assert shown.count("System identifier") == 2


def test_replay_that_is_paused_and_a_setting_are_found_on_the_server(servers: Servers, viewer: Client) -> None:
    with servers.held():
        shown = said(viewer, FACTS)
    assert "Replicas are close behind fails replica1, replica2: its replay is paused" in shown


def test_a_role_without_rights_is_told_what_to_grant(servers: Servers, viewer: Client) -> None:
    servers.cluster.primary.query("CREATE ROLE plain LOGIN")
    servers.settle()
    try:
        with faults.as_user("replica1", "plain"):
            shown = said(viewer, FACTS)
    finally:
        servers.cluster.primary.query("DROP ROLE plain")
    assert "replica1: “plain” may not see all Next step: Grant the role pg_monitor: GRANT pg_monitor TO plain;" in shown
    assert "Receiver runs; grant pg_monitor to see more" in shown


def test_servers_are_asked_once_however_many_look(servers: Servers, viewer: Client) -> None:
    replica = servers.cluster.replicas[0]
    replica.reset_statements()
    for _ in range(3):
        viewer.get(FACTS)
    wait_until(lambda: replica.statements("pg_last_wal_replay_lsn"), 20, "the question to be counted")
    assert sum(replica.statements("jsonb_build_object").values()) == 1


def test_rules_cost_no_queries(servers: Servers, viewer: Client) -> None:
    before = queries_of(viewer, FACTS)
    for number in range(5):
        route(f"names-{number}")
    assert queries_of(viewer, FACTS) == before <= 12


def test_who_may_see_it(servers: Servers, staff: StaffClient, client: Client) -> None:
    assert staff("view_dashboard").get(INSPECTED).status_code == 200
    nobody = staff("view_user")
    for address in (PAGE, INSPECTED, FACTS):
        assert nobody.get(address).status_code == 403
        assert client.get(address).status_code == 302
    polled = client.get(FACTS, headers={"HX-Request": "true"})
    assert (polled.status_code, polled["HX-Refresh"]) == (200, "true")


def test_viewers_have_no_buttons_and_operators_have(
    servers: Servers, viewer: Client, rollbacker: Client, operator: Client
) -> None:
    DrainedReplica.objects.create(alias="replica2", drained_by="kim", reason="New disk.")
    for client, buttons in ((viewer, set()), (rollbacker, {DRAIN}), (operator, {DRAIN, UNDRAIN})):
        page = text(client.get(PAGE))
        assert {address for address in (DRAIN, UNDRAIN) if f'action="{address}"' in page} == buttons
        assert "New disk." in page


def test_drains_lead_back_to_where_they_were_pressed(servers: Servers, operator: Client) -> None:
    back = re.findall(r'name="back" value="([^"]+)"', text(operator.get(PAGE)))
    assert set(back) == {PAGE}
    response = operator.post(DRAIN, {"alias": "replica1", "back": PAGE})
    assert response["Location"] == PAGE
    assert messages(response) == ["Replica replica1 drained: it serves no reads."]
    question = text(operator.post(UNDRAIN, {"alias": "replica1", "back": PAGE}))
    assert f'href="{PAGE}"' in question
    fields = dict(re.findall(r'name="(alias|back|confirm)" value="([^"]+)"', question))
    assert operator.post(UNDRAIN, fields)["Location"] == PAGE
    assert operator.post(DRAIN, {"alias": "replica1"})["Location"] == DASHBOARD
    assert operator.post(UNDRAIN, {**fields, "back": "https://example.com/"})["Location"] == DASHBOARD


def test_an_alias_is_text_and_nothing_else(servers: Servers, operator: Client) -> None:
    DrainedReplica.objects.create(alias="<script>alert(1)</script>", drained_by="<b>kim</b>")
    page = operator.get(PAGE).content.decode()
    assert "<script>alert" not in page
    assert "<b>kim" not in page
