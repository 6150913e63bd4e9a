"""The dashboard and its live part: who may see them, what they say, and what they cost."""

import re
from collections.abc import Callable

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.db import ProgrammingError, connection
from django.test import Client, override_settings
from django.urls import include, path
from psycopg.errors import UndefinedColumn
from waffle.models import Flag, Switch

from admin_ui.dashboard import DashboardAdmin
from admin_ui.models import Dashboard
from admin_ui.rules.admin import RoutingRuleAdmin
from rollout.loading import is_kill_switch_on
from rollout.models import Mode, RoutingRule, TallyKind, TargetKind
from rollout.reasons import Reason
from routers.meter import meter
from tests.admin_ui.support import DASHBOARD, KILL, LIVE, count_reads, flag, mode_url, queries_of, text
from tests.support import route

pytestmark = pytest.mark.django_db

other_site = AdminSite(name="other")
other_site.register(Dashboard, DashboardAdmin)
other_site.register(RoutingRule, RoutingRuleAdmin)
urlpatterns = [path("other/", other_site.urls), path("", include("tests.urls"))]


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
@pytest.mark.parametrize("permission", ["view_dashboard", "view_routingrule", "rollback_routing", "operate_routing"])
def test_every_permission_of_ours_shows_the_dashboard(
    staff: Callable[..., Client], permission: str, address: str
) -> None:
    assert staff(permission).get(address).status_code == 200


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_other_staff_is_refused(staff: Callable[..., Client], address: str) -> None:
    assert staff("view_user").get(address).status_code == 403


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_strangers_and_customers_are_sent_to_the_login(client: Client, address: str) -> None:
    for _ in range(2):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")
        client.force_login(User.objects.get_or_create(username="customer")[0])


def test_a_poll_after_the_session_ended_reloads_the_page_instead_of_showing_the_login_in_it(client: Client) -> None:
    response = client.get(LIVE, headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Refresh"]) == (200, "true")


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_pages_answer_get_only(superuser: Client, address: str) -> None:
    assert superuser.post(address).status_code == 405


def test_the_dashboard_is_in_the_index_of_those_who_may_see_it(viewer: Client, staff: Callable[..., Client]) -> None:
    assert DASHBOARD in text(viewer.get("/admin/"))
    assert DASHBOARD not in text(staff("view_user").get("/admin/"))


def test_view_dashboard_alone_shows_the_distribution_but_no_rules(staff: Callable[..., Client]) -> None:
    route("names")
    page = text(staff("view_dashboard").get(DASHBOARD))
    assert "Where reads run" in page
    assert "Mode of endpoint names" not in page


def test_viewers_see_rules_without_buttons(viewer: Client) -> None:
    rule = route("names", gate=flag(percent="25"))
    page = text(viewer.get(DASHBOARD))
    assert "25\u202f%" in page
    assert 'value="off"' not in page
    assert 'name="percent"' not in page
    assert f'action="{mode_url(rule.pk)}"' in page
    assert 'name="mode" value=' not in page


def test_those_who_roll_back_see_only_buttons_that_lower(rollbacker: Client) -> None:
    route("names", mode=Mode.OBSERVE)
    page = text(rollbacker.get(DASHBOARD))
    assert 'name="mode" value="pin"' in page
    assert 'name="mode" value="route"' not in page
    assert 'value="100"' not in page
    assert 'value="off"' in page


def test_those_who_roll_back_may_type_up_to_the_current_percentage(rollbacker: Client) -> None:
    route("names", gate=flag(percent="25"))
    page = text(rollbacker.get(DASHBOARD))
    assert 'max="25"' in page
    assert 'value="0"' in page
    assert 'value="100"' not in page


def test_operators_see_every_button(operator: Client) -> None:
    route("names", mode=Mode.OBSERVE, gate=flag(percent="25"))
    page = text(operator.get(DASHBOARD))
    for value in ("off", "pin", "route", "0", "100"):
        assert f'value="{value}"' in page
    assert 'max="100"' in page


def test_only_operators_may_turn_routing_on_again(operator: Client, rollbacker: Client, kill_switch: Switch) -> None:
    kill_switch.active = False
    kill_switch.save()
    assert 'value="on"' in text(operator.get(DASHBOARD))
    assert 'value="on"' not in text(rollbacker.get(DASHBOARD))


def test_the_strip_says_that_the_kill_switch_is_missing(superuser: Client, kill_switch: Switch) -> None:
    kill_switch.delete()
    page = text(superuser.get(DASHBOARD))
    assert "rs-status--critical" in page
    assert "The kill switch is missing" in page


def test_a_flag_deleted_under_a_rule_is_said_in_words(superuser: Client) -> None:
    route("names", gate=flag())
    Flag.objects.all().delete()
    page = text(superuser.get(DASHBOARD))
    assert "uses the waffle flag “products”, which does not exist" in page
    assert 'name="percent"' not in page


def test_a_rule_for_an_unknown_endpoint_is_said_in_words(superuser: Client) -> None:
    route("no-such-view")
    assert "The rule for endpoint no-such-view matches nothing" in text(superuser.get(DASHBOARD))
    count_reads(1, endpoint="no-such-view")
    assert "matches nothing" not in text(superuser.get(DASHBOARD))


def test_a_pool_without_replicas_is_said_in_words(superuser: Client) -> None:
    route("names", pool="reports")
    assert "the pool “reports”, which has no replica" in text(superuser.get(DASHBOARD))


def test_no_rules_tell_what_to_do_first(superuser: Client) -> None:
    assert "Add a rule for one busy endpoint in mode observe" in text(superuser.get(DASHBOARD))


@pytest.mark.parametrize(("minutes", "shown"), [("60", "60"), ("15", "15"), ("", "15"), ("7", "15"), ("x", "15")])
def test_the_length_of_time_can_be_chosen(superuser: Client, minutes: str, shown: str) -> None:
    assert f"No reads</strong> <span>in the last {shown} minutes" in text(
        superuser.get(DASHBOARD, {"minutes": minutes})
    )


def test_the_page_shows_the_numbers_of_the_chart_in_tables(superuser: Client) -> None:
    count_reads(1500, reason=Reason.GATE_OFF)
    count_reads(500, alias="replica1", reason=Reason.ROUTED)
    page = text(superuser.get(DASHBOARD))
    assert "25.0\u202f%</strong> <span>of 2\u202f000 reads" in page
    assert 'role="img" aria-label="Reads by database' in page
    assert Reason.GATE_OFF.label in page
    assert page.count("1\u202f500") >= 4


def test_numbers_and_coordinates_are_not_localised(superuser: Client) -> None:
    count_reads(3)
    count_reads(1234, alias="replica1", reason=Reason.ROUTED)
    route("names", gate=flag(percent="2.5"))
    with override_settings(LANGUAGE_CODE="de", USE_THOUSAND_SEPARATOR=True):
        page = text(superuser.get(DASHBOARD))
    assert 'value="2.5"' in page
    assert re.findall(r'(?:width|height|x|y|max)="[^"]*,[^"]*"', page) == []


@pytest.mark.parametrize(
    "address", [DASHBOARD, LIVE, "/admin/readshift/routingrule/", "/admin/readshift/routingrule/add/"]
)
def test_nothing_on_our_pages_is_inline(superuser: Client, address: str) -> None:
    route("names", gate=flag(percent="25"))
    count_reads(5)
    page = text(superuser.get(address))
    assert "style=" not in page
    assert "<style" not in page
    assert "hx-on" not in page
    assert not re.search(r"\son[a-z]+=", page)
    # Django's own pages carry data, not code, in scripts of type application/json.
    assert not re.search(r"<script(?![^>]*(\bsrc=|application/json))", page)


def test_the_number_of_queries_does_not_depend_on_the_number_of_rules(superuser: Client) -> None:
    route("names", gate=flag("first", percent="5"))
    few = queries_of(superuser, DASHBOARD)
    for index in range(12):
        route(f"admin:shop_product_{index}", gate=flag(f"flag{index}", percent="5"))
        count_reads(index + 1, endpoint=f"admin:shop_product_{index}")
    route("shop.Product", kind=TargetKind.MODEL)
    assert (
        queries_of(superuser, DASHBOARD) <= few + 1
    )  # One more asks whether unknown endpoints were counted, however many there are.


def test_the_live_part_repeats_the_strip_only_when_its_words_changed(superuser: Client, kill_switch: Switch) -> None:
    seen = re.search(r'name="seen" value="([^"]+)"', text(superuser.get(DASHBOARD)))
    assert seen
    unchanged = text(superuser.get(LIVE, {"seen": seen[1]}))
    assert "Where reads run" not in unchanged
    assert "By database" in unchanged
    assert 'id="rs-status"' not in unchanged
    kill_switch.active = False
    kill_switch.save()
    assert "Every read goes to the primary." in text(superuser.get(LIVE, {"seen": seen[1]}))


def test_the_live_part_says_when_the_rules_on_the_page_are_old(superuser: Client) -> None:
    address = re.search(r'hx-get="([^"]+)"', text(superuser.get(DASHBOARD)))
    assert address
    assert "Reload it to see them" not in text(superuser.get(address[1]))
    route("names")
    assert "Reload it to see them" in text(superuser.get(address[1]))


def test_the_live_part_holds_no_form(superuser: Client) -> None:
    route("names", gate=flag(percent="25"))
    assert "<form" not in text(superuser.get(LIVE))


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_the_page_does_not_count_its_own_reading(superuser: Client, address: str) -> None:
    meter.take()
    superuser.get(address)
    assert {series.model for series in meter.take() if series.kind == TallyKind.READ} == {
        "sessions.Session",
        "auth.User",
    }


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_missing_tables_ask_for_migrate(superuser: Client, address: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE readshift_tally RENAME TO readshift_tally_gone")
    response = superuser.get(address)
    assert response.status_code == 200
    assert "manage.py migrate --database default" in text(response)
    assert User.objects.exists(), "The failed query must not spoil a transaction around the view."


def test_a_page_that_is_open_while_tables_go_missing_is_loaded_anew(superuser: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE readshift_tally RENAME TO readshift_tally_gone")
    response = superuser.get(LIVE, headers={"HX-Request": "true"})
    assert response.headers["HX-Refresh"] == "true"
    assert response.content == b""


def test_columns_that_are_not_there_yet_ask_for_migrate_and_leave_the_kill_switch_in_reach(rollbacker: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE readshift_shadowread DROP COLUMN looked_at CASCADE")
        cursor.execute("DELETE FROM django_migrations WHERE name = '0014_shadow_looked_at'")
    page = text(rollbacker.get(DASHBOARD))
    assert "manage.py migrate --database default" in page
    assert "older than the code" in page
    rollbacker.post(KILL, {"state": "off"})
    assert not is_kill_switch_on("default")


def test_other_errors_of_the_database_are_not_hidden(superuser: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE readshift_tally RENAME COLUMN reason TO why")
    with pytest.raises(ProgrammingError) as caught:
        superuser.get(DASHBOARD)
    assert isinstance(caught.value.__cause__, UndefinedColumn)


@override_settings(ROOT_URLCONF="tests.admin_ui.overview.test_dashboard")
def test_it_works_on_an_admin_site_of_the_hosts_own(superuser: Client) -> None:
    rule = route("names", gate=flag(percent="25"))
    page = text(superuser.get("/other/readshift_admin/dashboard/"))
    assert f'action="/other/readshift_admin/dashboard/rules/{rule.pk}/share/"' in page
    assert f'href="/other/readshift_admin/dashboard/rules/{rule.pk}/"' in page
    assert "/admin/" not in page.replace("static/admin/", "")
    response = superuser.post("/other/readshift_admin/dashboard/kill-switch/", {"state": "off"})
    assert response["Location"] == "/other/readshift_admin/dashboard/"
