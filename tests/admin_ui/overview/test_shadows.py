"""What the dashboard and the form of a rule say of shadow reads."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rollout.models import Mode, RoutingRule, ShadowRead, TallyKind, TargetKind
from rollout.outcomes import CaptureFate, Outcome, ShadowCause
from tests.admin_ui.support import ADD_RULE, DASHBOARD, LIVE, count_reads, queries_of, rule_data, rule_url, text
from tests.support import route
from tests.tasks.reporting.reported import store

pytestmark = pytest.mark.django_db

LINE = "rs-rule__shadow"


def capturing(target: str = "shop:product-list", percent: str = "5", kind: str = TargetKind.ENDPOINT) -> RoutingRule:
    rule = route(target, mode=Mode.OBSERVE, kind=kind)
    rule.shadow_percent = percent
    rule.save()
    return rule


def page(client: Client, address: str = DASHBOARD) -> str:
    return text(client.get(address)).replace("\u202f", " ")


def diverge(count: int = 1, age: timedelta = timedelta(minutes=1), **changes: str) -> None:
    store(count, age=age, outcome=Outcome.DIVERGENT, **({"cause": ShadowCause.MISSING_ROW} | changes))


def test_a_rule_that_captures_has_a_verdict_with_its_reason(viewer: Client) -> None:
    capturing()
    assert "not enough data yet (0 of 1 000)</strong>: nothing was compared" in page(viewer)
    assert "captures 5 %" in page(viewer)
    store(1_000)
    assert "rs-verdict--safe" in page(viewer)
    assert "safe to route</strong>: 1 000 compared, 0 divergent (at most 0.3 %)" in page(viewer)
    diverge()
    assert "rs-verdict--look" in page(viewer)
    assert "1 of 1 001 compared are divergent: the replica lacks rows" in page(viewer)


def test_a_rule_that_neither_captures_nor_has_captured_has_no_line(viewer: Client) -> None:
    route()
    assert LINE not in page(viewer)
    store(1)
    assert LINE in page(viewer)
    assert "captures nothing now" in page(viewer)


def test_what_was_chosen_and_not_compared_is_told_with_its_reason(viewer: Client) -> None:
    capturing()
    for fate, number in ((CaptureFate.CAPTURED, 7), (CaptureFate.OVER_RATE, 1_234), (CaptureFate.NOT_SENT, 2)):
        count_reads(number, kind=TallyKind.SHADOW, reason=fate, endpoint="shop:product-list")
    assert "1 234 left out over the cap per second, 2 late because the broker took no message" in page(viewer)


def test_the_verdict_rests_on_a_week(viewer: Client) -> None:
    capturing()
    store(3, age=timedelta(days=6))
    store(4, age=timedelta(days=8))
    assert "(3 of 1 000)" in page(viewer)


def test_those_who_see_no_rules_see_no_verdict(viewer: Client, staff: Callable[..., Client]) -> None:
    capturing()
    assert LINE in page(viewer)
    assert LINE not in page(staff("view_dashboard"))


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_the_strip_names_rules_with_divergent_reads_of_the_last_day(viewer: Client, address: str) -> None:
    capturing()
    capturing("shop.Review", kind=TargetKind.MODEL)
    capturing("names")
    diverge()
    diverge(2, model="shop.Review", endpoint="elsewhere", cause=ShadowCause.ORDER)
    diverge(1, model="shop.Review", endpoint="elsewhere", cause=ShadowCause.TYPE)
    store(5, endpoint="names", outcome=Outcome.ERROR, cause=ShadowCause.TIMEOUT)
    found = page(viewer, address)
    assert (
        "2 rules have divergent shadow reads of the last day: shop:product-list (the replica lacks rows), "
        "shop.Review (the same rows in another order)."
    ) in found
    assert "rs-status--warning" in found


def test_divergent_reads_of_earlier_days_leave_the_strip_and_stay_in_the_verdict(viewer: Client) -> None:
    capturing()
    diverge(age=timedelta(days=2))
    assert "have divergent shadow reads" not in page(viewer)
    assert "has divergent shadow reads" not in page(viewer)
    assert "needs a look" in page(viewer)


def test_what_somebody_has_looked_at_leaves_the_strip_until_the_next_one(viewer: Client) -> None:
    capturing()
    diverge()
    ShadowRead.objects.update(looked_at=timezone.now(), looked_by="ada")
    assert "has divergent shadow reads" not in page(viewer)
    assert "needs a look" in page(viewer)
    diverge()
    assert "1 rule has divergent shadow reads" in page(viewer)


def test_the_strip_names_three_rules_and_counts_the_others(viewer: Client) -> None:
    for number in range(5):
        capturing(f"endpoint{number}")
        diverge(endpoint=f"endpoint{number}")
    found = page(viewer)
    assert "5 rules have divergent shadow reads" in found
    assert "endpoint2 (the replica lacks rows) and 2 more." in found


def test_more_of_the_same_does_not_change_the_words_of_the_strip(viewer: Client) -> None:
    capturing()
    diverge()
    seen = viewer.get(DASHBOARD).context["page"].seen
    diverge(7)
    assert viewer.get(DASHBOARD).context["page"].seen == seen
    ShadowRead.objects.all().delete()
    assert viewer.get(DASHBOARD).context["page"].seen != seen


def test_the_number_of_queries_does_not_depend_on_rules_and_reads(superuser: Client) -> None:
    capturing("names")
    few = {address: queries_of(superuser, address) for address in (DASHBOARD, LIVE)}
    for number in range(6):
        capturing(f"admin:shop_product_{number}")
        diverge(3, endpoint=f"admin:shop_product_{number}", fingerprint=f"f{number}")
    # One more asks whether unknown endpoints were counted, however many there are.
    assert all(queries_of(superuser, address) <= count + 1 for address, count in few.items())


def test_the_live_part_judges_no_rule(superuser: Client) -> None:
    capturing("names")
    store(1, endpoint="names", reason="observed")
    with CaptureQueriesContext(connection) as captured:
        assert LINE not in page(superuser, LIVE)
    asked = [query["sql"] for query in captured if "readshift_shadowread" in query["sql"]]
    assert len(asked) == 1
    assert "'divergent'" in asked[0]


def test_capturing_is_set_in_the_form_without_a_confirmation(editor: Client) -> None:
    rule = route(mode=Mode.OBSERVE)
    found = page(editor, rule_url(rule))
    assert "Compares answers of the primary and of a replica in the background" in found
    data = rule_data(shadow_percent="2.5", shadow_per_second="7")
    assert editor.post(rule_url(rule), data).status_code == 302
    rule.refresh_from_db()
    assert (float(rule.shadow_percent), rule.shadow_per_second) == (2.5, 7)


@pytest.mark.parametrize(
    "changes", [{"shadow_percent": "101"}, {"shadow_percent": "-1"}, {"shadow_per_second": "0"}], ids=str
)
def test_rates_that_cannot_be_are_refused(editor: Client, changes: dict[str, str]) -> None:
    assert "Ensure this value is" in text(editor.post(ADD_RULE, rule_data(**changes)))
    assert not RoutingRule.objects.exists()
