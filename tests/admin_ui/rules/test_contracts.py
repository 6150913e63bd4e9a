"""The freshness contract of a rule: what its form asks before it is loosened, and where it is shown."""

import re

import pytest
from django.db import connection
from django.test import Client
from waffle.models import Flag

from rollout.models import GateKind, Mode, RoutingRule, TargetKind
from tests.admin_ui.support import (
    ADD_RULE,
    DASHBOARD,
    RULES,
    flag,
    mode_url,
    rule_data,
    rule_url,
    share_url,
    text,
)
from tests.support import route

pytestmark = pytest.mark.django_db

LOOSENINGS = pytest.mark.parametrize(
    ("stored", "wanted", "said"),
    [
        ("session", "any", "loosen the freshness contract from session to any"),
        ("bounded:5", "bounded:60", "loosen the freshness contract from bounded:5 to bounded:60"),
        ("bounded:5", "session", "loosen the freshness contract from bounded:5 to session"),
        (
            "strict",
            "session",
            "raise the share on replicas from 0 % to 100 % and loosen the freshness contract from strict to session",
        ),
    ],
)


def wanted_of(rule: RoutingRule, **changes: str) -> dict[str, str]:
    """Return what a browser sends for a stored rule with these changes."""
    return {name: str(getattr(rule, name)) for name in rule_data()} | changes


def stored_contract() -> str:
    return RoutingRule.objects.get().contract


@LOOSENINGS
def test_loosening_takes_the_permission_to_raise(editor: Client, stored: str, wanted: str, said: str) -> None:
    rule = route(contract=stored)
    page = text(editor.post(rule_url(rule), wanted_of(rule, contract=wanted, confirm="on")))
    assert f"This would {said}. That takes the permission “readshift.operate_routing”" in page
    assert stored_contract() == stored


@LOOSENINGS
def test_loosening_asks_first(superuser: Client, stored: str, wanted: str, said: str) -> None:
    rule = route(contract=stored)
    page = text(superuser.post(rule_url(rule), wanted_of(rule, contract=wanted)))
    assert f"This would {said}. Tick the box and save again to go ahead." in page
    assert '<input type="checkbox" name="confirm"' in page
    assert stored_contract() == stored
    assert superuser.post(rule_url(rule), wanted_of(rule, contract=wanted, confirm="on"))["Location"] == RULES
    assert stored_contract() == wanted


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ("any", "session"),
        ("session", "bounded:60"),
        ("bounded:60", "bounded:5"),
        ("bounded:5", "strict"),
        ("any", "strict"),
        ("any", "ANY"),
    ],
)
def test_tightening_asks_nothing(editor: Client, stored: str, wanted: str) -> None:
    rule = route(contract=stored)
    assert editor.post(rule_url(rule), wanted_of(rule, contract=wanted))["Location"] == RULES
    assert stored_contract() == wanted.lower()


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.PIN])
def test_loosening_a_rule_that_does_not_route_asks_nothing(editor: Client, mode: str) -> None:
    rule = route(mode=mode)
    assert editor.post(rule_url(rule), wanted_of(rule, contract="any"))["Location"] == RULES


def test_loosening_behind_a_closed_gate_asks_nothing(editor: Client) -> None:
    rule = route(gate=flag(everyone=False))
    assert editor.post(rule_url(rule), wanted_of(rule, contract="any"))["Location"] == RULES


def test_loosening_for_chosen_users_alone_asks(editor: Client) -> None:
    rule = route(gate=flag(percent="0"))
    Flag.objects.update(staff=True)
    page = text(editor.post(rule_url(rule), wanted_of(rule, contract="any")))
    assert "from session to any. That takes the permission" in page


def test_a_new_rule_that_routes_under_a_looser_contract_than_usual_says_both(superuser: Client) -> None:
    page = text(superuser.post(ADD_RULE, rule_data(mode="route", contract="any")))
    assert "raise the share on replicas from 0 % to 100 % and loosen the freshness contract from session to any" in page


def test_a_new_strict_rule_in_mode_route_asks_nothing(editor: Client) -> None:
    assert editor.post(ADD_RULE, rule_data(mode="route", contract="strict"))["Location"] == RULES


@pytest.mark.parametrize("mode", ["observe", "route"])
def test_a_text_that_is_no_contract_is_refused_beside_its_field(superuser: Client, mode: str) -> None:
    page = text(superuser.post(ADD_RULE, rule_data(contract="fresh", mode=mode)))
    assert re.search(r'errorlist" id="id_contract_error"><li>“fresh” is no freshness contract\. Write strict', page)
    assert not RoutingRule.objects.exists()


def test_a_contract_is_saved_in_one_spelling(editor: Client) -> None:
    editor.post(ADD_RULE, rule_data(contract=" Bounded: 2.50 "))
    assert stored_contract() == "bounded:2.5"


def test_the_form_shows_the_contract_says_what_each_means_and_suggests_one_of_each_kind(editor: Client) -> None:
    page = text(editor.get(rule_url(route(contract="bounded:7"))))
    assert re.search(r'<input[^>]*name="contract"[^>]*value="bounded:7"[^>]*list="contract-suggestions"', page)
    assert "How old an answer may be." in page
    suggestions = page.partition('<datalist id="contract-suggestions">')[2].partition("</datalist>")[0]
    assert re.findall(r'value="([^"]+)"', suggestions) == ["any", "bounded:5", "session", "strict"]


def test_the_list_shows_the_contract_and_that_a_strict_rule_sends_nothing(superuser: Client) -> None:
    route(contract="strict")
    page = text(superuser.get(RULES))
    assert '<td class="field-contract">strict</td>' in page
    assert '<td class="field-share">0 %</td>' in page


def test_the_dashboard_shows_a_contract_unless_it_is_the_usual_one(viewer: Client) -> None:
    route("names", contract="bounded:5")
    assert "pool default · contract bounded:5" in text(viewer.get(DASHBOARD))
    RoutingRule.objects.update(contract="session")
    assert "· contract" not in text(viewer.get(DASHBOARD))


@pytest.mark.parametrize(
    ("mode", "explanation"),
    [
        (Mode.ROUTE, "kept on the primary by its contract"),
        (Mode.OBSERVE, "kept on the primary by its contract"),
        (Mode.PIN, "pinned to the primary"),
    ],
)
def test_the_dashboard_says_why_a_strict_rule_sends_nothing(viewer: Client, mode: str, explanation: str) -> None:
    route("names", mode=mode, contract="strict")
    page = text(viewer.get(DASHBOARD))
    assert explanation in page
    assert "0\u202f%" in page


def test_those_who_only_roll_back_may_put_a_strict_rule_into_any_mode(rollbacker: Client) -> None:
    rule = route("names", mode=Mode.OBSERVE, contract="strict")
    assert 'value="route"' in text(rollbacker.get(DASHBOARD))
    assert rollbacker.post(mode_url(rule.pk), {"mode": "route"})["Location"] == DASHBOARD


def test_the_question_before_a_raise_names_each_rules_contract_unless_it_is_the_usual_one(operator: Client) -> None:
    rule = route("names", gate=flag(percent="25"), contract="any")
    route("names-async", gate=(GateKind.FLAG, "products"))
    route("shop.Product", kind=TargetKind.MODEL, gate=(GateKind.FLAG, "products"), contract="strict")
    route("shop.Category", kind=TargetKind.MODEL, gate=(GateKind.SWITCH, "products"))
    route("shop:search", gate=flag("other", percent="25"))
    page = text(operator.post(share_url(rule.pk), {"percent": "50"}))
    rows = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip() for row in re.findall(r"<tr>(.*?)</tr>", page)]
    assert rows[1:] == [
        "endpoint names · contract any 25 % 50 %",
        "endpoint names-async 25 % 50 %",
        "model shop.Product · contract strict 0 % 0 %",
    ]


def test_a_stored_contract_that_cannot_be_read_is_said_in_words_and_can_be_mended(superuser: Client) -> None:
    rule = route("names")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE readshift_routingrule SET contract = 'bounded:0'")
    for address in (DASHBOARD, rule_url(rule)):
        page = text(superuser.get(address))
        assert "The freshness contract of the rule for endpoint names cannot be read" in page
        assert "“bounded:0” is no freshness contract" in page
    page = text(superuser.post(rule_url(rule), wanted_of(rule, contract="session")))
    assert "loosen the freshness contract from strict to session" in page
    superuser.post(rule_url(rule), wanted_of(rule, contract="session", confirm="on"))
    assert stored_contract() == "session"
