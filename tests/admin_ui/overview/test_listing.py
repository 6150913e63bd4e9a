"""Finding rules among many: by text, mode and need, a page at a time."""

from collections.abc import Callable

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.overview.listing import PER_PAGE, Search, find
from rollout.models import Mode, RoutingRule, TargetKind
from tests.admin_ui.support import DASHBOARD, flag, mode_url, share_url, text
from tests.support import route


def rules(count: int, **fields: str) -> list[RoutingRule]:
    return [
        RoutingRule(pk=number, target_kind=TargetKind.ENDPOINT, target=f"view{number}", **fields)
        for number in range(1, count + 1)
    ]


@given(st.integers(0, 120), st.sets(st.integers(1, 120)), st.integers(-3, 12))
def test_every_page_holds_part_of_all_and_those_that_need_somebody_come_first(
    count: int, needy: set[int], page: int
) -> None:
    everything = rules(count)
    pages = [find(everything, needy, Search(page=number)) for number in range(1, -(-count // PER_PAGE) + 1)]
    shown = [rule.pk for one in pages for rule in one.rules]
    assert sorted(shown) == [rule.pk for rule in everything]
    assert [pk in needy for pk in shown] == sorted((pk in needy for pk in shown), reverse=True)
    any_page = find(everything, needy, Search(page=page))
    assert 1 <= any_page.page <= any_page.pages
    assert len(any_page.rules) <= PER_PAGE
    assert any_page.needing_attention == len(needy & {rule.pk for rule in everything})


@given(
    st.builds(
        Search,
        text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).map(str.strip),
        mode=st.sampled_from(["", *Mode.values]),
        needs_attention=st.booleans(),
        page=st.integers(1, 99_999),
        minutes=st.sampled_from([15, 60, 1440, 10080]),
    )
)
def test_an_address_asks_for_what_it_was_made_from(search: Search) -> None:
    assert Search.of(QueryDict(search.query).dict()) == search


@pytest.mark.parametrize("page", ["x", "-1", "", "1e9", "٣", "999999999999"])
def test_a_page_that_is_no_number_is_the_first(page: str) -> None:
    assert Search.of({"page": page}).page == 1


@pytest.mark.parametrize("words", ["VIEW7", "flag-7", "pool-7", "Nightly"])
def test_text_is_looked_for_in_name_gate_pool_and_note(words: str) -> None:
    others = rules(3)
    wanted = RoutingRule(
        pk=7, target_kind="endpoint", target="view7", gate_name="flag-7", pool="pool-7", note="The nightly report."
    )
    assert find([*others, wanted], (), Search(text=words)).rules == (wanted,)


def test_mode_and_need_narrow_together() -> None:
    everything = [*rules(2, mode=Mode.ROUTE), RoutingRule(pk=3, target="view3", mode=Mode.PIN)]
    assert [rule.pk for rule in find(everything, {2, 3}, Search(mode=Mode.ROUTE, needs_attention=True)).rules] == [2]


def names(page: str) -> list[str]:
    return [part.partition("<")[0] for part in page.split("Mode of endpoint ")[1:]]


@pytest.mark.django_db
def test_the_page_shows_so_many_rules_and_links_to_the_others(viewer: Client) -> None:
    RoutingRule.objects.bulk_create(
        RoutingRule(target=f"view{number:03}", gate_kind="", mode=Mode.OBSERVE) for number in range(PER_PAGE + 3)
    )
    route("names")
    first = text(viewer.get(DASHBOARD))
    assert first.count("Mode of endpoint") == PER_PAGE
    assert f"{PER_PAGE + 4} of {PER_PAGE + 4} rules" in first
    assert 'href="?page=2#rs-rules"' in first
    assert "Previous" not in first
    second = text(viewer.get(f"{DASHBOARD}?page=2"))
    assert second.count("Mode of endpoint") == 4
    assert "Page 2 of 2" in second
    assert "Mode of endpoint names" in second, "It alone needs nobody: the others are for endpoints that do not exist."


@pytest.mark.django_db
def test_a_search_is_kept_by_the_lengths_of_time_and_by_the_form(viewer: Client) -> None:
    route("names")
    route("names-async", mode=Mode.OBSERVE)
    page = text(viewer.get(f"{DASHBOARD}?q=async&mode=observe&minutes=60"))
    assert "Mode of endpoint names-async" in page
    assert 'aria-label="Mode of endpoint names"' not in page
    assert 'value="async"' in page
    assert '<option value="observe" selected>' in page
    assert (
        'href="?minutes=1440&amp;q=async&amp;mode=observe"'
        in viewer.get(f"{DASHBOARD}?q=async&mode=observe&minutes=60").content.decode()
    )
    assert "No rule fits." in text(viewer.get(f"{DASHBOARD}?q=nothing-like-it"))


@pytest.mark.django_db
def test_only_those_that_need_attention_can_be_asked_for_and_say_why(viewer: Client) -> None:
    route("names")
    route("no-such-view")
    page = text(viewer.get(f"{DASHBOARD}?attention=1"))
    assert page.count("Mode of endpoint") == 1
    assert "Needs attention (1)" in page
    attention = page.partition("rs-rule__attention")[2]
    assert "The rule for endpoint no-such-view matches nothing" in attention.partition("</div>")[0]


@pytest.mark.django_db
def test_a_button_leads_back_to_where_it_was(operator: Client) -> None:
    rule = route("names", gate=flag(percent="50"))
    back = f"{DASHBOARD}?q=names&mode=route#rs-rules"
    assert text(operator.get(f"{DASHBOARD}?q=names&mode=route")).count(f'name="back" value="{back}"') == 3
    answers = (
        operator.post(mode_url(rule.pk), {"mode": "pin", "back": back}),
        operator.post(share_url(rule.pk), {"percent": "5", "back": back}),
    )
    assert [answer["Location"] for answer in answers] == [back, back]


@pytest.mark.django_db
def test_a_question_keeps_in_mind_where_it_was_asked(operator: Client) -> None:
    rule = route("names", mode=Mode.OBSERVE)
    back = f"{DASHBOARD}?q=names#rs-rules"
    asked = text(operator.post(mode_url(rule.pk), {"mode": "route", "back": back}))
    assert f'<input type="hidden" name="back" value="{back}">' in asked
    assert f'href="{back}"' in asked


@pytest.mark.django_db
def test_those_who_may_see_no_rules_see_none_of_it(staff: Callable[..., Client]) -> None:
    route("names")
    page = text(staff("view_dashboard").get(f"{DASHBOARD}?q=names"))
    for words in ("Mode of endpoint", "Needs attention", "Last changes", "First steps"):
        assert words not in page
