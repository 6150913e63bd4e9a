"""The pages of the record: who may see them, what they say, what filters leave, and what they cost."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from admin_ui.events.filters import Filter
from admin_ui.events.queries import MANY, conditions, read_chunks, read_events
from admin_ui.events.views import PAGE
from rollout import looks, operations
from rollout.models import Door, EventKind, Mode
from tests.admin_ui.events.support import CSV, EVENTS, JSON_LINES, record
from tests.admin_ui.support import DASHBOARD, queries_of, text
from tests.support import route

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def listed(client: Client, **asked: str) -> list[int]:
    """Return the numbers of the events that the page lists, as it lists them."""
    page = text(client.get(f"{EVENTS}?{urlencode(asked)}"))
    return [int(pk) for pk in re.findall(r'events/(\d+)/"><time', page)]


def keys(*groups: list[Any]) -> list[int]:
    return [each.pk for group in groups for each in group]


class TestWhoMaySee:
    @pytest.mark.parametrize("address", [EVENTS, CSV, JSON_LINES])
    @pytest.mark.parametrize("permission", ["view_event", "view_routingrule", "rollback_routing", "operate_routing"])
    def test_those_who_see_rules_or_events(self, staff: Callable[..., Client], permission: str, address: str) -> None:
        client = staff(permission)
        (stored,) = record()
        assert client.get(address).status_code == 200
        assert client.get(f"{EVENTS}{stored.pk}/").status_code == 200
        assert EVENTS in text(client.get(DASHBOARD))

    @pytest.mark.parametrize("address", ["", "events.csv", "events.jsonl", "1/"])
    @pytest.mark.parametrize("permission", ["view_dashboard", "view_user"])
    def test_nobody_else(self, staff: Callable[..., Client], permission: str, address: str) -> None:
        assert staff(permission).get(f"{EVENTS}{address}").status_code == 403

    def test_the_navigation_leads_nobody_to_a_refusal(self, staff: Callable[..., Client]) -> None:
        assert f'href="{EVENTS}"' not in text(staff("view_dashboard").get(DASHBOARD))

    def test_the_record_cannot_be_written(self, superuser: Client) -> None:
        (stored,) = record()
        for address in (EVENTS, CSV, f"{EVENTS}{stored.pk}/"):
            assert superuser.post(address).status_code == 405
            assert superuser.delete(address).status_code == 405


class TestList:
    def test_an_event_is_told_in_full(self, viewer: Client) -> None:
        verdict = {"finding": "fail", "reason": "3 % of 900 units failed", "trial": False}
        record(why="errors doubled", door=Door.PLAN, who="plan 7", measures={"error_rate": verdict})
        page = text(viewer.get(EVENTS))
        for words in ("endpoint shop:product-list", "plan 7", "Rollout plan", "Why: errors doubled", "was changed"):
            assert words in page
        assert re.search(r"mode:</span> observe .*→.*<strong>route</strong>", page)
        assert re.search(r"<details>.*error_rate.*fail: 3 % of 900 units failed.*</details>", page, re.DOTALL)

    def test_what_really_happens_is_listed(self, operator: Client) -> None:
        rule = route("names", mode=Mode.OBSERVE)
        operations.set_mode(rule, Mode.ROUTE)
        operations.set_mode(rule, Mode.OBSERVE)
        page = text(operator.get(EVENTS))
        assert page.count("Reads were taken back to the primary") == 1
        assert page.index("was changed") < page.index("was created")

    def test_what_callers_wrote_is_text(self, viewer: Client) -> None:
        evil = "<script>alert(1)</script>"
        (stored,) = record(
            who=evil, why=evil, subject=evil, after={evil: evil}, before={evil: {evil: evil}}, measures={evil: evil}
        )
        for address in (EVENTS, f"{EVENTS}{stored.pk}/", f"{EVENTS}?{urlencode({'subject': evil, 'who': evil})}"):
            answer = viewer.get(address)
            assert evil not in answer.content.decode()
            assert evil in text(answer)

    def test_long_texts_are_cut_in_the_list_and_whole_on_the_event_itself(self, viewer: Client) -> None:
        fields = {f"field_{number}": "new" for number in range(9)}
        (stored,) = record(why="w" * 5_000, after=fields, before={})
        page = text(viewer.get(EVENTS))
        assert "w" * 400 not in page
        assert "all 9 fields" in page
        page = text(viewer.get(f"{EVENTS}{stored.pk}/"))
        assert "w" * 5_000 in page
        assert "field 8" in page

    def test_an_empty_record_says_what_will_be_in_it(self, viewer: Client) -> None:
        assert "Nothing was changed yet" in text(viewer.get(EVENTS))
        assert "No event is like that" in text(viewer.get(f"{EVENTS}?who=ada"))

    def test_an_event_that_is_not_there_is_not_found(self, viewer: Client) -> None:
        assert viewer.get(f"{EVENTS}4711/").status_code == 404
        assert viewer.get(f"{EVENTS}{10**30}/").status_code == 404

    def test_the_cost_does_not_depend_on_the_number_of_events(self, viewer: Client) -> None:
        address = f"{EVENTS}?subject=product&who=ad"
        record(1)
        one = queries_of(viewer, address)
        record(3 * PAGE)
        assert queries_of(viewer, address) == one
        assert queries_of(viewer, f"{EVENTS}?before=9999999999999999-1") < one


class TestFilter:
    def test_a_deep_link_finds_the_whole_subject_alone(self, viewer: Client) -> None:
        wanted = record(2)
        record(1, subject="endpoint shop:product-list-2")
        record(1, subject_kind="plan", subject="7 of endpoint shop:product-list")
        address = f"{EVENTS}?subject_kind=rule&subject=endpoint%20shop:product-list"
        assert f"{len(wanted)}" == f"{text(viewer.get(address)).count('<time')}"

    def test_looks_at_shadow_reads_are_found_like_all_others(self, viewer: Client) -> None:
        wanted = record(1, subject_kind=looks.SUBJECT_KIND, subject="7 of names")
        record(1, subject="endpoint names")
        (address,) = re.findall(r'href="([^"]+)">7 of names</a>', text(viewer.get(EVENTS)))
        assert re.findall(r'events/(\d+)/"><time', text(viewer.get(unescape(address)))) == [str(wanted[0].pk)]
        assert listed(viewer, subject_kind=looks.SUBJECT_KIND) == keys(wanted)

    def test_a_part_finds_all_kinds_that_have_it_in_any_case(self, viewer: Client) -> None:
        older = record(1, subject_kind="flag", subject="Shop:Products")
        newer = record(1, subject_kind="plan", subject="7 of endpoint shop:product-list")
        record(1, subject_kind="flag", subject="checkout")
        assert listed(viewer, subject="SHOP:PROD") == keys(newer, older)
        assert listed(viewer, subject="SHOP:PROD", subject_kind="flag") == keys(older)
        assert listed(viewer, subject="nothing") == []

    @pytest.mark.parametrize("field", ["subject", "who"])
    def test_a_part_of_very_many_finds_them_as_well(self, viewer: Client, field: str) -> None:
        stored = [record(1, None, **{field: f"plan {number} of names"})[0] for number in range(MANY + 5)]
        record(1, None, **{field: "somebody else"})
        assert listed(viewer, **{field: "OF NAMES"}) == keys(stored[: -PAGE - 1 : -1])

    def test_a_percent_sign_is_a_percent_sign(self, viewer: Client) -> None:
        wanted = record(1, who="50%")
        record(1, who="5012")
        assert listed(viewer, who="0%") == keys(wanted)

    def test_who_door_and_kind(self, viewer: Client) -> None:
        first = record(1, who="ada", door=Door.COMMAND, kind=EventKind.DELETED)
        second = record(1, who="adam", door=Door.COMMAND)
        third = record(1, who="eve", door=Door.WEBHOOK)
        assert listed(viewer, who="ada") == keys(first)
        assert listed(viewer, who="DA") == keys(second, first)
        assert listed(viewer, door="command") == keys(second, first)
        assert listed(viewer, kind="deleted") == keys(first)
        assert listed(viewer, door="webhook", who="ada") == []
        assert listed(viewer) == keys(third, second, first)

    def test_times_include_both_ends(self, viewer: Client) -> None:
        at = datetime(2026, 11, 25, 3, 0, tzinfo=timezone.get_current_timezone())
        stored = [record(1, at + timedelta(minutes=minutes))[0] for minutes in range(4)]
        found = listed(viewer, since="2026-11-25T03:01", until="2026-11-25T03:02:00")
        assert found == keys([stored[2], stored[1]])

    def test_a_filter_that_means_nothing_is_said_and_lists_nothing(self, viewer: Client) -> None:
        record()
        page = text(viewer.get(f"{EVENTS}?since=yesterday"))
        assert "Enter a valid date/time" in page
        assert "the filter cannot be read" in page
        assert viewer.get(f"{CSV}?since=yesterday").status_code == 400


class TestPages:
    def test_they_go_through_all_events_once_though_many_are_of_one_moment(self, viewer: Client) -> None:
        stored = [*record(PAGE + 20, NOW, who="ada"), *record(PAGE, NOW + timedelta(seconds=1), who="ada")]
        record(3, NOW, who="eve")
        found, address = [], f"{EVENTS}?who=ada"
        while address:
            page = text(viewer.get(address))
            found += [int(pk) for pk in re.findall(r'events/(\d+)/"><time', page)]
            older = re.search(r'href="([^"]*)">Older', page)
            address = older[1] if older else ""
            record(1, NOW + timedelta(hours=1), who="ada")
        assert found == sorted(keys(stored), reverse=True)

    def test_a_mangled_place_shows_the_newest(self, viewer: Client) -> None:
        stored = record()
        assert listed(viewer, before="x") == keys(stored)

    def test_chunks_hold_all_events_once(self) -> None:
        stored = record(7, NOW)
        met = conditions(Filter(), "default")
        assert [len(chunk) for chunk in read_chunks(met, 3, "default")] == [3, 3, 1]
        assert [each.pk for chunk in read_chunks(met, 3, "default") for each in chunk] == keys(stored)[::-1]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Filter(), "readshift_event_at"),
        (Filter(subject_kind="rule", subject="endpoint rare"), "readshift_event_subject"),
        (Filter(who="rare"), "readshift_event_who"),
        (Filter(door=Door.WEBHOOK), "readshift_event_door"),
        (Filter(kind=EventKind.DELETED), "readshift_event_kind"),
    ],
)
def test_what_is_rare_is_found_by_an_index(wanted: Filter, index: str) -> None:
    record(5_000, door=Door.PLAN, who="plan 7")
    record(3, subject="endpoint rare", who="rare", door=Door.WEBHOOK, kind=EventKind.DELETED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE readshift_event")
    assert read_events(conditions(wanted, "default"), PAGE, "default")
    events = type(record()[0]).objects.filter(conditions(wanted, "default")).order_by("-at", "-pk")
    assert index in events[:PAGE].explain()


def test_each_event_has_an_address_of_its_own(viewer: Client) -> None:
    (stored,) = record()
    address = reverse("admin:readshift_event", args=[stored.pk])
    assert address == f"{EVENTS}{stored.pk}/"
    assert "endpoint shop:product-list" in text(viewer.get(address))
