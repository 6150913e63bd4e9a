"""The admin of the rules: what its form accepts, what it warns of, and what it lists."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from waffle.models import Flag

from admin_ui.rules.problems import warnings_about
from rollout.models import GateKind, Mode, RoutingRule, TargetKind
from tests.admin_ui.conftest import StaffClient
from tests.admin_ui.support import (
    ADD_RULE,
    RULES,
    count_reads,
    flag,
    messages,
    queries_of,
    rule_data,
    rule_url,
    text,
)
from tests.support import route

pytestmark = pytest.mark.django_db


def test_a_known_endpoint_is_accepted(editor: Client) -> None:
    assert editor.post(ADD_RULE, rule_data())["Location"] == RULES
    assert RoutingRule.objects.get().target == "shop:product-list"


def test_an_unknown_endpoint_is_refused_with_names_that_come_close(editor: Client) -> None:
    page = text(editor.post(ADD_RULE, rule_data(target="shop:product-lst")))
    assert "No view, task or command is named “shop:product-lst”" in page
    assert "Did you mean “shop:product-list”" in page
    assert 'READSHIFT["ENDPOINTS"] = ["shop:product-lst"]' in page
    assert not RoutingRule.objects.exists()


def test_an_endpoint_that_was_counted_is_accepted_and_suggested(editor: Client) -> None:
    count_reads(1, endpoint="nightly-export")
    assert editor.post(ADD_RULE, rule_data(target="nightly-export")).status_code == 302
    assert "Did you mean “nightly-export”" in text(editor.post(ADD_RULE, rule_data(target="nightly-exporter")))


def test_a_name_declared_in_the_settings_is_accepted(editor: Client) -> None:
    with override_settings(READSHIFT={**settings.READSHIFT, "ENDPOINTS": ["by-hand"]}):
        assert editor.post(ADD_RULE, rule_data(target="by-hand")).status_code == 302


def test_a_rule_whose_endpoint_has_gone_can_still_be_pinned(editor: Client) -> None:
    rule = route("no-such-view", mode=Mode.OBSERVE)
    assert editor.post(rule_url(rule), rule_data(target="no-such-view", mode="pin")).status_code == 302


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"target_kind": "model", "target": "shop.Nothing"}, "No installed model is labelled"),
        ({"target_kind": "model", "target": "auth.User"}, "deny list"),
        ({"gate_kind": "flag", "gate_name": "gone"}, "Waffle has no flag named"),
        ({"pool": "nowhere"}, "No replica is in a pool named"),
        ({"gate_kind": "flag"}, "Name the flag, switch or sample"),
    ],
)
def test_what_the_model_refuses_is_shown(editor: Client, changes: dict[str, str], error: str) -> None:
    assert error in text(editor.post(ADD_RULE, rule_data(**changes)))
    assert not RoutingRule.objects.exists()


def test_a_second_rule_for_a_target_is_refused(editor: Client) -> None:
    route("shop:product-list", mode=Mode.OBSERVE)
    assert "There is a rule for this target already" in text(editor.post(ADD_RULE, rule_data()))


def test_a_flag_can_be_created_with_its_rule_and_is_closed(editor: Client) -> None:
    response = editor.post(ADD_RULE, rule_data(mode="route", gate_kind="flag", gate_name="new", create_flag="on"))
    assert response.status_code == 302
    assert Flag.objects.get().everyone is False
    assert RoutingRule.objects.get().gate_name == "new"
    assert "Created the flag “new”. It is closed for everybody." in messages(response)


def test_no_flag_is_created_when_the_rule_is_refused(editor: Client) -> None:
    page = text(editor.post(ADD_RULE, rule_data(target="nothing", gate_kind="flag", gate_name="new", create_flag="on")))
    assert "Waffle has no flag" not in page
    assert not Flag.objects.exists()


def test_asking_for_a_flag_that_exists_keeps_it(editor: Client) -> None:
    kind, name = flag(everyone=True)
    assert editor.post(ADD_RULE, rule_data(gate_kind=kind, gate_name=name, create_flag="on")).status_code == 302
    assert Flag.objects.get().everyone is True


def test_the_box_creates_flags_only(editor: Client) -> None:
    page = text(editor.post(ADD_RULE, rule_data(gate_kind="switch", gate_name="new", create_flag="on")))
    assert "Waffle has no switch named “new”" in page


def test_editing_is_no_way_around_the_permission_to_raise(editor: Client) -> None:
    rule = route("shop:product-list", mode=Mode.OBSERVE)
    page = text(editor.post(rule_url(rule), rule_data(mode="route", confirm="on")))
    assert "readshift.operate_routing" in page
    assert "from 0 % to 100 %" in page
    rule.refresh_from_db()
    assert rule.mode == Mode.OBSERVE


def test_raising_in_the_form_asks_first(superuser: Client) -> None:
    page = text(superuser.post(ADD_RULE, rule_data(mode="route")))
    assert "from 0 % to 100 %. Tick the box" in page
    assert '<input type="checkbox" name="confirm"' in page
    assert superuser.post(ADD_RULE, rule_data(mode="route", confirm="on")).status_code == 302
    assert RoutingRule.objects.get().mode == Mode.ROUTE


def test_lowering_in_the_form_asks_nothing(editor: Client) -> None:
    rule = route("shop:product-list")
    assert editor.post(rule_url(rule), rule_data(mode="pin")).status_code == 302


def test_another_target_for_an_open_rule_counts_as_raising(editor: Client) -> None:
    rule = route("shop:product-list")
    assert "readshift.operate_routing" in text(
        editor.post(rule_url(rule), rule_data(target="shop:search", mode="route"))
    )


class TestPins:
    """A pin for a model keeps reads of a routed endpoint on the primary. Without it they go."""

    @pytest.fixture
    def pin(self) -> RoutingRule:
        route("shop:product-list")
        return route("shop.Product", kind=TargetKind.MODEL, mode=Mode.PIN)

    def test_another_target_for_it_counts_as_raising(self, editor: Client, superuser: Client, pin: RoutingRule) -> None:
        data = rule_data(target_kind="model", target="shop.Category", mode="pin")
        page = text(editor.post(rule_url(pin), data))
        assert "let go reads of endpoint shop:product-list that the rule for model shop.Product keeps" in page
        pin.refresh_from_db()
        assert pin.target == "shop.Product"
        assert "Tick the box" in text(superuser.post(rule_url(pin), data))
        assert superuser.post(rule_url(pin), data | {"confirm": "on"}).status_code == 302

    def test_so_does_deleting_it(self, staff: StaffClient, superuser: Client, pin: RoutingRule) -> None:
        client = staff("view_routingrule", "delete_routingrule")
        assert client.post(f"{RULES}{pin.pk}/delete/", {"post": "yes"}).status_code == 403
        client.post(RULES, {"action": "delete_selected", "_selected_action": pin.pk, "post": "yes"})
        assert RoutingRule.objects.filter(pk=pin.pk).exists()
        assert superuser.post(f"{RULES}{pin.pk}/delete/", {"post": "yes"}).status_code == 302

    def test_whoever_may_delete_rules_deletes_one_that_keeps_nothing_back(self, staff: StaffClient) -> None:
        pin = route("shop.Product", kind=TargetKind.MODEL, mode=Mode.PIN)
        route("shop:search", mode=Mode.OBSERVE)
        client = staff("view_routingrule", "delete_routingrule")
        assert client.post(f"{RULES}{pin.pk}/delete/", {"post": "yes"}).status_code == 302


def test_a_pin_against_a_route_warns_that_the_strictest_wins(editor: Client) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    count_reads(1, endpoint="shop:product-list", model="shop.Product")
    response = editor.post(ADD_RULE, rule_data(mode="pin"))
    (warning,) = (message for message in messages(response) if "strictest" in message)
    assert warning.startswith("The rule for endpoint shop:product-list pins reads that the rule for model shop.Product")
    rule = RoutingRule.objects.get(target="shop.Product")
    assert "the strictest wins" in text(editor.get(rule_url(rule)))


def test_rules_that_never_met_do_not_warn(editor: Client) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    count_reads(1, endpoint="shop:product-list", model="shop.Category")
    assert not any("strictest" in message for message in messages(editor.post(ADD_RULE, rule_data(mode="pin"))))


def test_the_page_of_a_rule_says_what_is_wrong_with_it(editor: Client) -> None:
    rule = route("no-such-view", gate=(GateKind.FLAG, "gone"), pool="nowhere")
    page = text(editor.get(rule_url(rule)))
    assert "uses the waffle flag “gone”, which does not exist" in page
    assert "matches nothing" in page
    assert "the pool “nowhere”, which has no replica" in page


def test_nothing_is_said_of_a_rule_that_is_deleted_while_its_page_is_drawn() -> None:
    rule = route("shop:product-list")
    stored = RoutingRule.objects.get(pk=rule.pk)
    rule.delete()
    assert warnings_about(stored, "default") == ()


def test_the_page_of_a_sound_rule_warns_of_nothing(editor: Client) -> None:
    assert "messagelist" not in text(editor.get(rule_url(route("shop:product-list"))))


def test_viewers_read_a_rule_and_cannot_change_it(viewer: Client) -> None:
    rule = route("shop:product-list")
    assert "shop:product-list" in text(viewer.get(rule_url(rule)))
    assert viewer.post(rule_url(rule), rule_data(mode="pin")).status_code == 403


def test_the_form_offers_endpoints_models_and_gates_without_a_script(editor: Client) -> None:
    flag("products")
    page = text(editor.get(ADD_RULE))
    for suggestion in ("shop:product-list", "shop.Product", "products"):
        assert f'<option value="{suggestion}">' in page
    assert '<option value="auth.User">' not in page


def test_the_list_shows_shares_and_searches_notes(superuser: Client) -> None:
    rule = route("shop:product-list", gate=flag(percent="2.5"))
    RoutingRule.objects.filter(pk=rule.pk).update(note="Ask Ada.")
    assert "2.5 %" in text(superuser.get(RULES, {"q": "ada", "mode__exact": "route"}))
    assert "2.5 %" not in text(superuser.get(RULES, {"q": "grace"}))


def test_the_list_costs_the_same_for_many_rules(superuser: Client) -> None:
    route("names", gate=flag("first", percent="5"))
    few = queries_of(superuser, RULES)
    for index in range(10):
        route(f"view{index}", gate=flag(f"flag{index}", percent="5"))
    assert queries_of(superuser, RULES) == few


def test_the_history_of_a_rule_tells_of_edits(editor: Client) -> None:
    rule = route("shop:product-list", mode=Mode.OBSERVE)
    editor.post(rule_url(rule), rule_data(mode="pin"))
    assert "Changed Mode" in text(editor.get(f"{RULES}{rule.pk}/history/"))
    assert User.objects.get().username in text(editor.get(f"{RULES}{rule.pk}/history/"))
