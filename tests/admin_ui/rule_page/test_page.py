"""The page of a rule: what it shows to whom, what it costs, and how it follows a plan."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from waffle.models import Flag, Switch

from rollout import operations, plans
from rollout.gates import NOBODY
from rollout.models import ArmCount, Event, EventKind, GateKind, Mode, RolloutPlan, RoutingRule, Side
from rollout.plan_states import State
from rollout.watching import watch
from tests.admin_ui.support import DASHBOARD, count_reads, flag, messages, queries_of, text
from tests.rollout.support import create_flag, draft_plan
from tests.support import route
from tests.tasks.reporting.reported import store

pytestmark = pytest.mark.django_db


def page_url(rule: RoutingRule) -> str:
    return f"{DASHBOARD}rules/{rule.pk}/"


def live_url(rule: RoutingRule) -> str:
    return f"{page_url(rule)}live/"


def page(client: Client, rule: RoutingRule, query: str = "") -> str:
    return text(client.get(page_url(rule) + query)).replace("\u202f", " ")


def count_arms(rule: RoutingRule, **fields: object) -> None:
    """Store what a process has just counted of both arms."""
    facts = {"units": 100, "durations": {"40": 100}, "lag_seconds": 0.5, "revision": 10**6, **fields}
    ArmCount.objects.bulk_create(
        ArmCount(
            starts_at=timezone.now(),
            span_seconds=10,
            target_kind=rule.target_kind,
            target=rule.target,
            side=side,
            **facts,
        )
        for side in Side.values
    )


def ended(plan: RolloutPlan) -> None:
    """Have a draft be a plan that was taken back an hour ago."""
    at = timezone.now() - timedelta(hours=1)
    state = {"state": State.ROLLED_BACK, "gate_name": "checkout", "started_at": at, "ended_at": at}
    RolloutPlan.objects.filter(pk=plan.pk).update(**state)


@pytest.fixture
def rule(db: None) -> RoutingRule:
    return route(gate=flag(percent="25"))


@pytest.fixture
def plan(db: None) -> RolloutPlan:
    return plans.start(draft_plan(target="shop:product-list").pk).plan


# Who may see it


def test_the_dashboard_alone_is_not_enough(staff: Callable[..., Client], rule: RoutingRule) -> None:
    client = staff("view_dashboard")
    assert client.get(page_url(rule)).status_code == 403
    assert client.get(live_url(rule)).status_code == 403


def test_strangers_are_asked_to_log_in(client: Client, rule: RoutingRule) -> None:
    assert client.get(page_url(rule))["Location"].startswith("/admin/login/")
    assert client.get(live_url(rule), headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_viewers_see_everything_and_no_button(viewer: Client, plan: RolloutPlan) -> None:
    shown = page(viewer, plan.rule)
    assert "Plan" in shown
    assert "Guardrails" in shown
    assert "<form" not in shown.split('<div class="rs">')[1].split('id="footer"')[0]
    assert "Start a plan" not in shown


def test_those_who_roll_back_see_only_buttons_that_lower(rollbacker: Client, plan: RolloutPlan) -> None:
    shown = page(rollbacker, plan.rule)
    assert "Roll back this rule" in shown
    assert re.findall(r'name="do" value="(\w+)"', shown) == ["pause"]
    plans.roll_back(plan.pk)
    assert 'name="template"' not in page(rollbacker, plan.rule)


def test_operators_see_what_the_state_allows(operator: Client, plan: RolloutPlan) -> None:
    offered = r'name="(?:do|template)" value="(\w+)"'
    assert re.findall(offered, page(operator, plan.rule)) == ["pause", "advance"]
    plans.pause(plan.pk)
    assert re.findall(offered, page(operator, plan.rule)) == ["resume"]
    plans.resume(plan.pk)
    plans.advance(plan.pk)
    plans.advance(plan.pk)
    assert re.findall(offered, page(operator, plan.rule)) == ["pause", "finish"]
    plans.finish(plan.pk)
    assert re.findall(offered, page(operator, plan.rule)) == ["careful", "standard", "fast"]


def test_a_rule_that_is_gone_leads_to_the_overview_and_says_so(viewer: Client, rule: RoutingRule) -> None:
    address, live = page_url(rule), live_url(rule)
    rule.delete()
    response = viewer.get(address)
    assert response["Location"] == DASHBOARD
    assert messages(response) == ["That rule no longer exists."]
    assert viewer.get(live).headers["HX-Refresh"] == "true"


# What it shows


def test_what_the_rule_is(editor: Client) -> None:
    rule = route("no-such-view", mode=Mode.OBSERVE, gate=flag(percent="25"), contract="bounded:5", over_budget="shed")
    route("other", gate=(GateKind.FLAG, "products"))
    RoutingRule.objects.filter(pk=rule.pk).update(note="Ask Ada.\nOr Bob.")
    shown = page(editor, rule)
    for fact in ("observe", "bounded:5", "shed", "default", "25 %, shared with 1 other rule<", "Ask Ada.<br>Or Bob."):
        assert fact in shown
    assert "The rule for endpoint no-such-view matches nothing" in shown
    assert f'href="/admin/readshift/routingrule/{rule.pk}/change/"' in shown


def test_both_arms_are_drawn_on_one_axis_with_what_happened(viewer: Client, rule: RoutingRule) -> None:
    count_arms(rule, failed=5)
    operations.set_share("flag", "products", NOBODY)
    shown = page(viewer, rule)
    assert "Errors. primary: from 5.0 % to 5.0 %, at last 5.0 %; replicas: from 5.0 %" in shown
    assert "Latency. primary, median: from 22 ms to 22 ms" in shown
    assert "lag of the replica furthest behind: from 500 ms to 500 ms" in shown
    assert "Let go to replicas: from 0 % to 25 %, at last 0 %" in shown
    assert "Flag products: everyone from nothing to no" in shown
    assert len(re.findall(r'<line class="rs-mark rs-mark--back"', shown)) == 4
    assert re.search(
        r"<th scope=\"row\">\d\d:\d\d</th><td>(?:0|25) %</td><td>5.0 %</td><td>5.0 %</td><td>22 ms</td>", shown
    )


@pytest.mark.parametrize(("query", "current"), [("", "1 h"), ("?hours=24", "24 h"), ("?hours=168", "7 days")])
def test_the_length_of_time_can_be_chosen(viewer: Client, rule: RoutingRule, query: str, current: str) -> None:
    count_arms(rule)
    shown = page(viewer, rule, query)
    assert re.findall(r'aria-current="true">([^<]+)</a>', shown) == [current]
    assert "Errors. primary: from 0 % to 0 %" in shown


@pytest.mark.django_db(transaction=True)
def test_a_plan_shows_its_stages_and_what_each_guardrail_found(viewer: Client, plan: RolloutPlan) -> None:
    count_arms(plan.rule)
    watch("default")
    shown = page(viewer, plan.rule)
    assert re.search(r'aria-current="step">\s*<p><span[^>]*>▶</span> <strong>5 %</strong>', shown)
    assert re.search(r"at least \d+ s left; 100 of 100 units", shown)
    assert re.search(r'rs-finding--hold">holds</strong></td>\s*<td>0 % on replicas, 0 % on the primary</td>', shown)
    assert "100 of 100 units" in shown


def test_why_a_plan_ended_stays_to_be_read_until_the_next_one_begins(viewer: Client, plan: RolloutPlan) -> None:
    plans.roll_back(plan.pk, why="Errors doubled.")
    shown = page(viewer, plan.rule)
    assert "Rolled back</span>" in shown
    assert "lets nobody through. Errors doubled." in shown
    assert "Former plans" not in shown
    plans.start(draft_plan(target="shop:product-list").pk)
    shown = page(viewer, plan.rule)
    assert "Running</span>" in shown
    assert "Former plans" in shown
    assert "Errors doubled." in shown


def test_a_flag_that_another_rules_plan_moves_is_told_of(operator: Client, plan: RolloutPlan) -> None:
    other = route("other", gate=(GateKind.FLAG, "checkout"))
    shown = page(operator, other)
    assert f"Plan {plan.pk} of endpoint shop:product-list is running and moves the flag “checkout”" in shown
    assert 'name="template"' not in shown


def test_a_rule_without_a_flag_says_what_a_plan_needs(operator: Client) -> None:
    assert "Give the rule a flag that exists to start one" in page(operator, route())


def test_reasons_and_the_verdict_on_shadow_reads(viewer: Client, rule: RoutingRule) -> None:
    count_reads(30, reason="behind")
    count_reads(10, alias="replica1", reason="routed")
    store(40)
    shown = page(viewer, rule)
    assert "25.0 %</strong> of 40 reads ran on replicas" in shown
    assert "is not known to show what this actor wrote" in shown
    assert "Not enough data yet (40 of 1 000)</strong>: 0 divergent so far" in shown


def test_a_switch_is_turned_on_and_off(operator: Client) -> None:
    Switch.objects.create(name="gate", active=True)
    shown = page(operator, route(gate=(GateKind.SWITCH, "gate")))
    assert re.findall(r'name="percent" value="(\d+)"', shown) == ["0", "100"]


def test_a_missing_gate_is_said_and_has_no_percentage(operator: Client) -> None:
    shown = page(operator, route(gate=(GateKind.FLAG, "gone")))
    assert "the flag gone does not exist" in shown
    assert 'name="percent"' not in shown


def test_every_form_leads_back_here(operator: Client, plan: RolloutPlan) -> None:
    shown = page(operator, plan.rule)
    forms = re.findall(r'<form method="post" action="([^"]+)"(.*?)</form>', shown, re.DOTALL)
    ours = {address: body for address, body in forms if address.startswith(DASHBOARD)}
    assert {address.removeprefix(DASHBOARD) for address in ours} == {
        "kill-switch/",
        f"plans/{plan.pk}/steer/",
        *(f"rules/{plan.rule_id}/{name}/" for name in ("mode", "share", "roll-back")),
    }
    for body in ours.values():
        assert f'name="back" value="{page_url(plan.rule)}"' in body
        assert "csrfmiddlewaretoken" in body


# What it costs


@pytest.mark.parametrize("query", ["?hours=1", "?hours=168"])
def test_it_costs_the_same_however_much_has_happened(viewer: Client, plan: RolloutPlan, query: str) -> None:
    few = [queries_of(viewer, url(plan.rule) + query) for url in (page_url, live_url)]
    for number in range(30):
        count_arms(plan.rule)
        count_reads(5, reason="behind", model=f"shop.Model{number}")
        ended(draft_plan(target="shop:product-list"))
        Event.objects.create(
            at=timezone.now(), kind=EventKind.CHANGED, door="code", subject_kind="rule", subject=str(plan.rule)
        )
        create_flag(f"flag{number}")
        route(f"view{number}", gate=(GateKind.FLAG, f"flag{number}"))
    store(30)
    assert [queries_of(viewer, url(plan.rule) + query) for url in (page_url, live_url)] == few


# How it follows a plan


def poll(client: Client, rule: RoutingRule, seen: str = "", hours: str = "1") -> tuple[int, str]:
    response = client.get(live_url(rule), {"seen": seen, "hours": hours}, headers={"HX-Request": "true"})
    return response.status_code, text(response)


def seen_in(shown: str) -> str:
    (seen,) = re.findall(r'id="rs-rule-seen" name="seen" value="(\w+)"', shown)
    assert isinstance(seen, str)
    return seen


def test_it_polls_while_a_plan_is_under_way_and_not_otherwise(viewer: Client, plan: RolloutPlan) -> None:
    polls = f'hx-get="{live_url(plan.rule)}?hours=1" hx-trigger="every 5s"'
    assert polls in page(viewer, plan.rule)
    plans.pause(plan.pk)
    assert polls in page(viewer, plan.rule)
    plans.roll_back(plan.pk)
    assert "hx-get" not in page(viewer, plan.rule)


def test_news_follow_a_plan_through_its_states_to_the_last_poll(operator: Client, plan: RolloutPlan) -> None:
    seen = seen_in(page(operator, plan.rule))
    assert (poll(operator, plan.rule, seen)[0], "rs-rule-actions" in poll(operator, plan.rule, seen)[1]) == (200, False)
    for change, offered in ((plans.pause, "resume"), (plans.resume, "advance"), (plans.advance, "advance")):
        change(plan.pk)
        status, shown = poll(operator, plan.rule, seen)
        assert status == 200
        assert f'name="do" value="{offered}"' in shown
        assert RolloutPlan.objects.get().get_state_display() in shown
        seen = seen_in(shown)
        assert "rs-rule-actions" not in poll(operator, plan.rule, seen)[1]
    plans.roll_back(plan.pk)
    status, shown = poll(operator, plan.rule, seen)
    assert status == 286
    assert "Rolled back</span>" in shown
    assert 'name="template"' in shown


@pytest.mark.django_db(transaction=True)
def test_a_look_is_no_news_and_its_verdicts_are_shown(viewer: Client, plan: RolloutPlan) -> None:
    seen = seen_in(page(viewer, plan.rule))
    count_arms(plan.rule)
    watch("default")
    _, shown = poll(viewer, plan.rule, seen)
    assert "rs-rule-actions" not in shown
    assert "100 of 100 units" in shown.replace("\u202f", " ")


def test_a_share_that_somebody_else_sets_is_news(viewer: Client, plan: RolloutPlan) -> None:
    seen = seen_in(page(viewer, plan.rule))
    Flag.objects.update(percent=7)
    _, shown = poll(viewer, plan.rule, seen)
    assert 'flag <span class="rs-name">checkout</span> at 7 %' in shown
    assert "Plan running. Started with stage 1 of 3, 5 %. Share on replicas: 7 %." in shown


def test_a_long_history_is_not_read_again_with_each_poll(viewer: Client, plan: RolloutPlan) -> None:
    assert 'id="rs-rule-history"' in poll(viewer, plan.rule, hours="1")[1]
    assert 'id="rs-rule-history"' not in poll(viewer, plan.rule, hours="168")[1]


def test_a_page_that_is_opened_after_the_end_shows_how_it_ended(viewer: Client, plan: RolloutPlan) -> None:
    Flag.objects.update(everyone=False)
    watch("default")
    assert RolloutPlan.objects.get().state == State.ROLLED_BACK
    assert "Somebody has taken it back" in page(viewer, plan.rule)


def test_it_has_no_inline_style_or_script(operator: Client, plan: RolloutPlan) -> None:
    count_arms(plan.rule)
    for shown in (page(operator, plan.rule), poll(operator, plan.rule)[1]):
        main = shown.split('<div class="rs">')[-1]
        assert not re.search(r'\sstyle="|<style|<script(?![^>]*\ssrc=)|\son\w+="|hx-on', main)
