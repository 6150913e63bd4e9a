"""The list of compared reads: what it shows, how it is chosen from, to whom, and at what cost."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from admin_ui.shadow_pages import paging
from rollout.models import RoutingRule, ShadowRead, ShadowState, TargetKind
from rollout.outcomes import Outcome, ShadowCause
from tests.admin_ui.shadow_pages.support import (
    CSV,
    DETAILS,
    HASH,
    JSON,
    LIST,
    SECRET,
    SHOWN,
    detail,
    diverged,
    downloaded,
    listed,
    observing,
    page,
)
from tests.admin_ui.support import DASHBOARD, queries_of, text
from tests.tasks.reporting.reported import store

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def mixture(db: None) -> dict[str, list[int]]:
    """Reads of every outcome by its name, and one that was not compared yet."""
    stored = {
        "equal": store(3),
        "caught_up": store(2, outcome=Outcome.CAUGHT_UP, staleness_ms=40.2),
        "divergent": [*diverged(), *diverged(2, cause=ShadowCause.MISSING_ROW)],
        "inconclusive": store(1, outcome=Outcome.INCONCLUSIVE, cause=ShadowCause.MOVED),
        "error": store(1, outcome=Outcome.ERROR, cause=ShadowCause.TIMEOUT),
    }
    store(1, state=ShadowState.WAITING)
    return {outcome: [read.pk for read in reads] for outcome, reads in stored.items()}


def choices(client: Client, name: str, query: str = "") -> dict[str, int | None]:
    """Return what there is to choose, with the counts."""
    offered = getattr(client.get(f"{LIST}{query}").context["listing"].choices, name)
    return {choice.value: choice.count for choice in offered}


def test_the_list_is_in_the_navigation(viewer: Client) -> None:
    assert f'<a href="{LIST}">Shadow reads</a>' in text(viewer.get(DASHBOARD))
    assert f'<a href="{LIST}" aria-current="page">Shadow reads</a>' in page(viewer)


def test_each_rule_has_its_verdict_on_top_the_gravest_first(viewer: Client) -> None:
    for number in range(8):
        observing(f"endpoint{number}")
        store(1, endpoint=f"endpoint{number}")
    diverged(endpoint="endpoint5")
    found = page(viewer)
    verdicts = viewer.get(LIST).context["listing"].verdicts
    assert [verdict.rule for verdict in verdicts][:2] == ["endpoint endpoint5", "endpoint endpoint0"]
    assert "needs a look</strong>: 1 of 2 compared are divergent" in found
    assert "2 more rules" in found
    assert found.index("endpoint endpoint5") < found.index("Compared reads")


def test_reads_are_listed_the_newest_first_with_what_was_found(viewer: Client) -> None:
    (older,) = store(1, age=HOUR, outcome=Outcome.CAUGHT_UP, staleness_ms=40.2)
    (newer,) = diverged()
    store(1, state=ShadowState.WAITING)
    assert listed(viewer) == [newer.pk, older.pk]
    found = page(viewer)
    for words in ("Columns of a row differ", "40 ms", "2 ms, 3 ms", "replica1", detail(newer), "not looked at yet"):
        assert words in found


@pytest.mark.parametrize("outcome", Outcome.values)
def test_an_outcome_is_chosen_with_its_count(viewer: Client, mixture: dict[str, list[int]], outcome: str) -> None:
    assert sorted(listed(viewer, f"?outcome={outcome}")) == mixture[outcome]
    assert choices(viewer, "outcomes")[outcome] == len(mixture[outcome])
    assert choices(viewer, "outcomes", f"?outcome={outcome}")[""] == 10


def test_a_cause_is_chosen_with_its_count(viewer: Client, mixture: dict[str, list[int]]) -> None:
    assert sorted(listed(viewer, "?cause=missing_row")) == mixture["divergent"][1:]
    assert choices(viewer, "causes") == {"": 10, "missing_row": 2, "changed_column": 1, "moved": 1, "timeout": 1}
    assert choices(viewer, "causes", "?outcome=error") == {"": 1, "timeout": 1}
    # What is chosen stays on offer where there is none of it, so that it can be seen and left.
    assert choices(viewer, "outcomes", "?outcome=error&cause=moved") == {"": 1, "inconclusive": 1, "error": 0}


def test_reads_of_a_rule_are_those_of_its_endpoint_or_of_its_model(viewer: Client) -> None:
    endpoint, model = observing(), observing("shop.Review", TargetKind.MODEL)
    (of_both,) = store(1, model="shop.Review")
    (of_endpoint,) = store(1)
    (of_model,) = store(1, endpoint="elsewhere", model="shop.Review")
    assert set(listed(viewer, f"?rule={endpoint.pk}")) == {of_both.pk, of_endpoint.pk}
    assert set(listed(viewer, f"?rule={model.pk}")) == {of_both.pk, of_model.pk}
    assert choices(viewer, "outcomes", f"?rule={model.pk}") == {"": 2, "equal": 2}
    assert "2 reads of the last 7 days, model shop.Review" in page(viewer, f"{LIST}?rule={model.pk}")


def test_not_looked_at_yet_are_those_that_need_it(viewer: Client, mixture: dict[str, list[int]]) -> None:
    ShadowRead.objects.filter(pk=mixture["error"][0]).update(looked_at="2026-01-01T00:00Z", looked_by="ada")
    assert set(listed(viewer, "?looked=no")) == {*mixture["divergent"], *mixture["inconclusive"]}
    assert choices(viewer, "looks") == {"": 10, "no": 4}
    assert choices(viewer, "outcomes", "?looked=no") == {"": 4, "divergent": 3, "inconclusive": 1}
    assert "looked at by ada" in page(viewer)


@pytest.mark.parametrize(("span", "count"), [("1h", 1), ("24h", 2), ("7d", 3), ("all", 4), ("", 3)])
def test_a_time_is_chosen(viewer: Client, span: str, count: int) -> None:
    for age in (HOUR / 2, HOUR * 2, DAY * 2, DAY * 8):
        store(1, age=age)
    query = f"?span={span}" if span else ""
    assert len(listed(viewer, query)) == count
    assert choices(viewer, "outcomes", query)[""] == count


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("?outcome=broken", "There is no outcome “broken” to choose"),
        ("?cause=%00", "There is no cause “"),
        ("?rule=4711", "There is no rule “4711” to choose"),
        ("?rule=%C2%B2", "There is no rule “²” to choose"),
        ("?span=1y&looked=<b>", "There is no looked “<b>” to choose"),
    ],
)
def test_a_choice_that_nobody_understands_is_left_out_and_told(viewer: Client, query: str, problem: str) -> None:
    (read,) = store(1)
    assert problem in page(viewer, LIST + query)
    assert listed(viewer, query) == [read.pk]


def test_pages_go_on_where_the_one_before_ended(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 3)
    moment = store(1)[0].compared_at
    store(3, compared_at=moment)
    store(4, age=HOUR)
    diverged(1)
    wanted = list(
        ShadowRead.objects.filter(outcome=Outcome.EQUAL).order_by("-compared_at", "-pk").values_list("pk", flat=True)
    )
    pages, query = [], "?outcome=equal"
    while query:
        listing = viewer.get(f"{LIST}{query}").context["listing"]
        pages.append([row.pk for row in listing.rows])
        query, newer = listing.older, listing.newer
    assert [pk for pks in pages for pk in pks] == wanted
    assert [len(pks) for pks in pages] == [3, 3, 2]
    assert listed(viewer, newer) == pages[1]
    assert viewer.get(f"{LIST}{newer}").context["listing"].newer
    store(1, age=timedelta(0))
    assert listed(viewer, newer) == pages[1]


@pytest.mark.parametrize("place", ["x", "1-2-3", "-1", "99999999999999999-999999999999999999", "²-1", "%00"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_place_that_is_none_or_nowhere_fails_nothing(viewer: Client, side: str, place: str) -> None:
    store(1)
    assert page(viewer, f"{LIST}?{side}={place}")


def test_the_number_of_queries_does_not_depend_on_rules_and_reads(superuser: Client) -> None:
    observing()
    diverged()
    few = queries_of(superuser, LIST)
    for number in range(6):
        observing(f"endpoint{number}")
        diverged(9, endpoint=f"endpoint{number}")
        store(9, endpoint=f"endpoint{number}")
    assert queries_of(superuser, LIST) == few <= 12
    assert queries_of(superuser, f"{LIST}?outcome=divergent&looked=no&span=all") == few


def test_no_value_is_in_the_list_or_a_download(superuser: Client) -> None:
    observing()
    diverged()
    for body in (page(superuser), downloaded(superuser, CSV), downloaded(superuser, JSON)):
        assert "shop:product-list" in body
        assert all(secret not in body for secret in (SECRET, SHOWN, HASH))
    assert SHOWN in str(DETAILS)


def test_what_a_statement_or_a_rule_is_called_is_no_markup(superuser: Client) -> None:
    evil = "<script>alert(1)</script>"
    rule = observing(f"names{evil}")
    diverged(endpoint=f"names{evil}", statement=f"SELECT {evil}", replica=evil, model='"><img src=x>')
    body = superuser.get(f"{LIST}?rule={rule.pk}").content
    assert b"SELECT &lt;script&gt;" in body
    assert b"<script>alert" not in body
    assert b"<img" not in body


def test_those_who_see_no_rules_are_told_why_they_see_no_shadow_reads(staff: Callable[..., Client]) -> None:
    (read,) = diverged()
    client = staff("view_dashboard")
    for address in (LIST, detail(read), CSV, JSON):
        response = client.get(address)
        assert response.status_code == 403
        assert "readshift.view_routingrule" in text(response)
        assert not re.search(rf">\s*{read.pk}\s*<|{read.endpoint}", text(response))


def test_staff_without_a_permission_and_strangers_see_nothing(staff: Callable[..., Client], client: Client) -> None:
    (read,) = diverged()
    nobody = staff()
    for address in (LIST, detail(read), CSV, JSON):
        assert nobody.get(address).status_code == 403
        assert client.get(address).status_code == 302


def test_a_rule_that_captures_nothing_and_no_reads_say_what_to_do(viewer: Client) -> None:
    RoutingRule.objects.all().delete()
    found = page(viewer)
    assert "No rule captures reads to compare." in found
    assert "Reads are listed once a worker has compared them." in found
    assert "Choose from all of the last 7 days" in page(viewer, f"{LIST}?outcome=error")
