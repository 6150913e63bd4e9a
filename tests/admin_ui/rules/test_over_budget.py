"""What a rule does over the fallback budget: how it is shown, and what it takes to let answers be stale."""

import re

import pytest
from django.test import Client

from rollout.models import Mode, OverBudget, RoutingRule
from tests.admin_ui.support import ADD_RULE, DASHBOARD, RULES, mode_url, rule_data, rule_url, text
from tests.support import route

pytestmark = pytest.mark.django_db

LETS = "let replicas that are too far behind, or lack what the actor wrote, answer over the fallback budget"


def changed(rule: RoutingRule, over_budget: str, **fields: str) -> dict[str, str]:
    """Return what a browser sends for a stored rule that gets another answer over budget."""
    return rule_data(target=rule.target, mode=rule.mode, contract=rule.contract, over_budget=over_budget, **fields)


def stored() -> str:
    return RoutingRule.objects.get().over_budget


def test_letting_answers_be_stale_takes_the_permission_to_raise(editor: Client) -> None:
    rule = route()
    page = text(editor.post(rule_url(rule), changed(rule, OverBudget.STALE, confirm="on")))
    assert f"This would {LETS}. That takes the permission “readshift.operate_routing”" in page
    assert stored() == OverBudget.PRIMARY


def test_letting_answers_be_stale_asks_first(superuser: Client) -> None:
    rule = route()
    page = text(superuser.post(rule_url(rule), changed(rule, OverBudget.STALE)))
    assert f"This would {LETS}. Tick the box and save again to go ahead." in page
    assert '<input type="checkbox" name="confirm"' in page
    assert stored() == OverBudget.PRIMARY
    superuser.post(rule_url(rule), changed(rule, OverBudget.STALE, confirm="on"))
    assert stored() == OverBudget.STALE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OverBudget.PRIMARY, OverBudget.SHED),
        (OverBudget.SHED, OverBudget.PRIMARY),
        (OverBudget.STALE, OverBudget.PRIMARY),
        (OverBudget.STALE, OverBudget.SHED),
    ],
)
def test_every_other_change_asks_nothing(editor: Client, before: str, after: str) -> None:
    rule = route(over_budget=before)
    assert editor.post(rule_url(rule), changed(rule, after))["Location"] == RULES
    assert stored() == after


@pytest.mark.parametrize(("mode", "contract"), [("observe", "session"), ("route", "strict"), ("route", "any")])
def test_a_rule_that_shows_nobody_more_by_it_asks_nothing(editor: Client, mode: str, contract: str) -> None:
    rule = route(mode=mode, contract=contract)
    assert editor.post(rule_url(rule), changed(rule, OverBudget.STALE))["Location"] == RULES


def test_a_new_rule_that_routes_and_may_be_stale_says_both(superuser: Client) -> None:
    page = text(superuser.post(ADD_RULE, rule_data(mode="route", over_budget=OverBudget.STALE)))
    assert f"raise the share on replicas from 0 % to 100 % and {LETS}" in page


def test_a_word_that_is_none_is_refused(superuser: Client) -> None:
    assert "Select a valid choice" in text(superuser.post(ADD_RULE, rule_data(over_budget="never")))


def test_the_form_says_what_each_choice_means(editor: Client) -> None:
    page = text(editor.get(rule_url(route(over_budget=OverBudget.SHED))))
    assert re.search(r'<option value="shed" selected>Shed: answer 503 with Retry-After</option>', page)
    assert "has used up its budget for reads that fall back to the primary" in page


@pytest.mark.parametrize("over_budget", [OverBudget.STALE, OverBudget.SHED])
def test_the_dashboard_shows_it_unless_it_is_the_usual_one(viewer: Client, over_budget: str) -> None:
    route("names", over_budget=over_budget)
    assert f"pool default · over budget: {over_budget}" in text(viewer.get(DASHBOARD))
    RoutingRule.objects.update(over_budget=OverBudget.PRIMARY)
    assert "pool default · over budget" not in text(viewer.get(DASHBOARD))


def test_the_question_before_a_raise_names_it_where_answers_may_be_stale(operator: Client) -> None:
    rule = route("names", mode=Mode.OBSERVE, over_budget=OverBudget.STALE)
    page = text(operator.post(mode_url(rule.pk), {"mode": "route"}))
    assert "· stale over budget" in page
    RoutingRule.objects.update(over_budget=OverBudget.SHED)
    assert "over budget" not in text(operator.post(mode_url(rule.pk), {"mode": "route"}))


def test_the_list_filters_by_it(superuser: Client) -> None:
    route("names", over_budget=OverBudget.SHED)
    assert "names" in text(superuser.get(RULES, {"over_budget__exact": "shed"}))
    page = text(superuser.get(RULES, {"over_budget__exact": "stale"}))
    assert "0 routing rules" in page
