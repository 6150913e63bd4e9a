"""The buttons: who may press them, what they ask, what they do and what they say."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from waffle.models import Flag, Sample, Switch

from rollout.models import Door, Event, EventKind, GateKind, Mode, PolicyRevision, RoutingRule
from rollout.policy import KILL_SWITCH
from tests.admin_ui.support import DASHBOARD, KILL, flag, messages, mode_url, share_url, text
from tests.support import route

pytestmark = pytest.mark.django_db


def percent() -> str:
    """Return what the flag opens for, in words."""
    row = Flag.objects.get()
    return {True: "everyone", False: "nobody", None: f"{row.percent}"}[row.everyone]


@pytest.fixture
def rule(db: None) -> RoutingRule:
    return route("names", gate=flag(percent="25"))


def test_get_is_refused_by_every_action(superuser: Client, client: Client, rule: RoutingRule) -> None:
    for address in (KILL, mode_url(rule.pk), share_url(rule.pk)):
        assert superuser.get(address).status_code == 405
        assert client.get(address).status_code == 405


def test_viewers_may_press_nothing(viewer: Client, rule: RoutingRule) -> None:
    for address, data in (
        (KILL, {"state": "off"}),
        (mode_url(rule.pk), {"mode": "pin"}),
        (share_url(rule.pk), {"percent": "0"}),
    ):
        assert viewer.post(address, {**data, "confirm": "1"}).status_code == 403
    assert percent() == "25.0"
    assert Switch.objects.get(name=KILL_SWITCH).active


def test_a_request_without_a_token_is_refused(rule: RoutingRule, superuser: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = superuser.cookies
    assert strict.post(share_url(rule.pk), {"percent": "0"}).status_code == 403
    assert percent() == "25.0"


def test_a_stranger_comes_back_to_the_dashboard_and_is_told_that_nothing_changed(
    client: Client, rule: RoutingRule
) -> None:
    response = client.post(share_url(rule.pk), {"percent": "0"})
    assert response["Location"] == f"/admin/login/?next={DASHBOARD}"
    assert "nothing was changed" in text(client.get(response["Location"]))
    assert percent() == "25.0"


def test_lowering_a_percentage_asks_nothing(rollbacker: Client, rule: RoutingRule) -> None:
    response = rollbacker.post(share_url(rule.pk), {"percent": "5"})
    assert response["Location"] == DASHBOARD
    assert percent() == "5.0"
    assert messages(response) == ["Flag products: from 25 % to 5 %."]


def test_zero_closes_the_gate(rollbacker: Client, rule: RoutingRule) -> None:
    rollbacker.post(share_url(rule.pk), {"percent": "0"})
    assert percent() == "nobody"


def test_raising_a_percentage_asks_first_and_shows_every_rule_that_it_moves(
    operator: Client, rule: RoutingRule
) -> None:
    route("names-async", mode=Mode.OBSERVE, gate=(GateKind.FLAG, "products"))
    response = operator.post(share_url(rule.pk), {"percent": "50"})
    assert response.status_code == 200
    page = text(response)
    assert "Flag products: from 25 % to 50 %" in page
    assert re.search(r"endpoint names</th><td>25 %</td><td><strong>50 %", page)
    assert re.search(r"endpoint names-async</th><td>0 %</td><td><strong>0 %", page)
    assert percent() == "25.0"


def test_the_confirmation_page_repeats_what_was_asked(operator: Client, rule: RoutingRule) -> None:
    page = text(operator.post(share_url(rule.pk), {"percent": "50"}))
    fields = dict(re.findall(r'name="(percent|confirm)" value="([^"]+)"', page))
    assert f'action="{share_url(rule.pk)}"' in page
    assert operator.post(share_url(rule.pk), fields)["Location"] == DASHBOARD
    assert percent() == "50.0"


def test_a_hundred_percent_is_everyone(operator: Client, rule: RoutingRule) -> None:
    operator.post(share_url(rule.pk), {"percent": "100", "confirm": "1"})
    assert percent() == "everyone"


def test_those_who_roll_back_may_not_raise_even_if_they_confirm(rollbacker: Client, rule: RoutingRule) -> None:
    assert rollbacker.post(share_url(rule.pk), {"percent": "50", "confirm": "1"}).status_code == 403
    assert percent() == "25.0"


@pytest.mark.parametrize("typed", ["-1", "101", "abc", "5.55", "", "NaN", "1e9"])
def test_a_percentage_that_is_none_gives_a_message_and_changes_nothing(
    operator: Client, rule: RoutingRule, typed: str
) -> None:
    response = operator.post(share_url(rule.pk), {"percent": typed, "confirm": "1"}, follow=True)
    assert response.redirect_chain == [(DASHBOARD, 302)]
    assert 'class="error"' in text(response)
    assert percent() == "25.0"
    assert not LogEntry.objects.exists()


def test_a_gate_deleted_meanwhile_gives_a_message(operator: Client, rule: RoutingRule) -> None:
    Flag.objects.all().delete()
    response = operator.post(share_url(rule.pk), {"percent": "50", "confirm": "1"})
    assert messages(response) == ["Waffle has no flag named “products”. Create it first, or choose another gate."]


def test_a_rule_without_a_gate_has_no_percentage(operator: Client) -> None:
    rule = route("names")
    response = operator.post(share_url(rule.pk), {"percent": "50", "confirm": "1"})
    assert "has no gate" in messages(response)[0]


@pytest.mark.parametrize("address", [mode_url, share_url])
def test_a_rule_deleted_meanwhile_gives_a_message(operator: Client, rule: RoutingRule, address: object) -> None:
    assert callable(address)
    gone = rule.pk
    rule.delete()
    response = operator.post(address(gone), {"mode": "pin", "percent": "0"})
    assert messages(response) == ["That rule no longer exists, so nothing was changed. Reload the dashboard."]


def test_a_switch_is_on_or_off(operator: Client) -> None:
    Switch.objects.create(name="gate", active=True)
    rule = route("names", gate=(GateKind.SWITCH, "gate"))
    assert "on or off" in messages(operator.post(share_url(rule.pk), {"percent": "50"}))[0]
    operator.post(share_url(rule.pk), {"percent": "0"})
    assert not Switch.objects.get(name="gate").active


def test_a_sample_takes_a_percentage(operator: Client) -> None:
    Sample.objects.create(name="gate", percent="50")
    rule = route("names", gate=(GateKind.SAMPLE, "gate"))
    operator.post(share_url(rule.pk), {"percent": "2,5"})
    assert str(Sample.objects.get().percent) == "2.5"


def test_pinning_asks_nothing(rollbacker: Client, rule: RoutingRule) -> None:
    response = rollbacker.post(mode_url(rule.pk), {"mode": "pin"})
    rule.refresh_from_db()
    assert rule.mode == Mode.PIN
    assert messages(response) == ["Endpoint names: from route to pin."]


def test_routing_through_an_open_gate_asks(operator: Client) -> None:
    rule = route("names", mode=Mode.OBSERVE, gate=flag(percent="25"))
    assert "from observe to route" in text(operator.post(mode_url(rule.pk), {"mode": "route"}))
    rule.refresh_from_db()
    assert rule.mode == Mode.OBSERVE
    operator.post(mode_url(rule.pk), {"mode": "route", "confirm": "1"})
    rule.refresh_from_db()
    assert rule.mode == Mode.ROUTE


def test_routing_is_refused_to_those_who_only_roll_back(rollbacker: Client) -> None:
    rule = route("names", mode=Mode.OBSERVE)
    assert rollbacker.post(mode_url(rule.pk), {"mode": "route", "confirm": "1"}).status_code == 403


def test_an_unknown_mode_gives_a_message(operator: Client, rule: RoutingRule) -> None:
    assert "is no mode" in messages(operator.post(mode_url(rule.pk), {"mode": "sideways"}))[0]


def test_the_red_button_turns_the_switch_off_and_asks_nothing(rollbacker: Client, rule: RoutingRule) -> None:
    before = PolicyRevision.objects.get().revision
    response = rollbacker.post(KILL, {"state": "off"})
    assert response["Location"] == DASHBOARD
    assert not Switch.objects.get(name=KILL_SWITCH).active
    assert messages(response) == ["Kill switch off: every read to the primary."]
    assert PolicyRevision.objects.get().revision > before


def test_the_red_button_creates_a_missing_switch_switched_off(rollbacker: Client, kill_switch: Switch) -> None:
    kill_switch.delete()
    rollbacker.post(KILL, {"state": "off"})
    assert not Switch.objects.get(name=KILL_SWITCH).active


def test_turning_routing_on_asks_and_lists_what_will_be_routed(
    operator: Client, kill_switch: Switch, rule: RoutingRule
) -> None:
    kill_switch.active = False
    kill_switch.save()
    page = text(operator.post(KILL, {"state": "on"}))
    assert re.search(r"endpoint names</th><td>0 %</td><td><strong>25 %", page)
    assert not Switch.objects.get(name=KILL_SWITCH).active
    operator.post(KILL, {"state": "on", "confirm": "1"})
    assert Switch.objects.get(name=KILL_SWITCH).active


def test_turning_routing_on_is_refused_to_those_who_only_roll_back(rollbacker: Client, kill_switch: Switch) -> None:
    kill_switch.active = False
    kill_switch.save()
    assert rollbacker.post(KILL, {"state": "on", "confirm": "1"}).status_code == 403
    assert not Switch.objects.get(name=KILL_SWITCH).active


def test_an_unknown_state_gives_a_message(operator: Client, kill_switch: Switch) -> None:
    assert "is no state" in messages(operator.post(KILL, {"state": "maybe"}))[0]


def test_every_change_is_in_the_history_of_what_it_changed(operator: Client, rule: RoutingRule) -> None:
    operator.post(share_url(rule.pk), {"percent": "5"})
    operator.post(mode_url(rule.pk), {"mode": "pin"})
    operator.post(KILL, {"state": "off"})
    entries = [
        (entry.content_type.model, entry.object_repr, entry.change_message)
        for entry in LogEntry.objects.order_by("pk")
        if entry.content_type
    ]
    assert entries == [
        ("flag", "products", "Flag products: from 25 % to 5 %."),
        ("routingrule", "endpoint names", "Endpoint names: from route to pin."),
        ("switch", KILL_SWITCH, "Kill switch off: every read to the primary."),
    ]


def test_a_page_can_be_operated_with_its_forms_alone(operator: Client, rule: RoutingRule) -> None:
    page = text(operator.get(DASHBOARD))
    forms = re.findall(r'<form method="post" action="([^"]+)"', page)
    assert {KILL, mode_url(rule.pk), share_url(rule.pk)} <= set(forms)
    buttons = re.findall(r'<button type="submit" name="(\w+)" value="(\w+)"', page)
    assert {("state", "off"), ("mode", "pin"), ("mode", "observe"), ("percent", "0"), ("percent", "100")} <= set(
        buttons
    )
    assert "hx-post" not in page


def test_what_a_button_changes_is_put_down_to_whoever_pressed_it(rollbacker: Client, rule: RoutingRule) -> None:
    rollbacker.post(KILL, {"state": "off"})
    rollbacker.post(share_url(rule.pk), {"percent": "5"})
    switch, share = Event.objects.filter(kind=EventKind.CHANGED).order_by("pk")
    assert (switch.subject, share.subject) == (KILL_SWITCH, "products")
    assert {(event.door, event.who) for event in (switch, share)} == {(Door.DASHBOARD, "staff_rollback_routing")}


# Two operators at once


def test_a_raise_from_a_page_that_is_old_asks_with_the_present_numbers(operator: Client, rule: RoutingRule) -> None:
    Flag.objects.update(percent=40)
    page = text(operator.post(share_url(rule.pk), {"percent": "50", "confirm": "1", "seen": "25"}))
    assert "Somebody changed the flag products after your page was loaded: from 25 % to 40 %." in page
    assert "Flag products: from 40 % to 50 %" in page
    assert percent() == "40.0"
    fields = dict(re.findall(r'name="(percent|confirm|seen)" value="([^"]+)"', page))
    assert fields["seen"] == "40"
    operator.post(share_url(rule.pk), fields)
    assert percent() == "50.0"


def test_a_lower_from_a_page_that_is_old_is_done_and_told(rollbacker: Client, rule: RoutingRule) -> None:
    Flag.objects.update(percent=40)
    assert messages(rollbacker.post(share_url(rule.pk), {"percent": "30", "seen": "25"})) == [
        "Flag products: from 40 % to 30 %.",
        "Somebody changed the flag products after your page was loaded: from 25 % to 40 %.",
    ]


def test_the_forms_of_the_dashboard_carry_the_percentage_that_it_shows(operator: Client, rule: RoutingRule) -> None:
    assert text(operator.get(DASHBOARD)).count('name="seen" value="25"') == 2


# Back to where one came from


@pytest.mark.parametrize(
    ("named", "leads_to"),
    [
        (f"{DASHBOARD}rules/1/?hours=24", f"{DASHBOARD}rules/1/?hours=24"),
        ("https://evil.example/", DASHBOARD),
        (f"https://evil.example{DASHBOARD}", DASHBOARD),
        ("//evil.example/", DASHBOARD),
        ("/admin/logout/", DASHBOARD),
        (f"{DASHBOARD[:-1]}@evil.example/", DASHBOARD),
    ],
)
def test_an_action_leads_back_to_pages_of_ours_alone(
    operator: Client, rule: RoutingRule, named: str, leads_to: str
) -> None:
    assert operator.post(share_url(rule.pk), {"percent": "5", "back": named})["Location"] == leads_to
    page = text(operator.post(share_url(rule.pk), {"percent": "50", "back": named}))
    assert f'name="back" value="{leads_to}"' in page
    assert f'<a href="{leads_to}" class="rs-button rs-button--plain">' in page


def test_the_question_hands_on_the_reason(operator: Client, rule: RoutingRule) -> None:
    page = text(operator.post(share_url(rule.pk), {"percent": "50", "reason": "It is quiet."}))
    assert 'name="reason" value="It is quiet."' in page
