"""Two operators who edit one rule at the same time."""

import re
from typing import Any

import pytest
from django.test import Client

from admin_ui.rules.conflicts import Version, digest_of
from rollout.models import Event, Mode, RoutingRule
from tests.admin_ui.support import rule_data, rule_url, text
from tests.support import route

pytestmark = pytest.mark.django_db

REFUSED = "Somebody changed this rule after you opened it, so nothing was saved"


@pytest.fixture
def rule(db: None) -> RoutingRule:
    return route("shop:product-list", mode=Mode.OBSERVE)


def version_in(page: str) -> str:
    (version,) = re.findall(r'name="version" value="([^"]*)"', page)
    assert isinstance(version, str)
    return version


def opened(client: Client, rule: RoutingRule) -> str:
    """Open the form and return the version that it carries."""
    return version_in(text(client.get(rule_url(rule))))


def save(client: Client, rule: RoutingRule, version: str, **changes: str) -> Any:
    return client.post(rule_url(rule), rule_data(version=version, **changes))


def test_the_second_is_told_who_changed_what_and_nothing_is_lost(
    editor: Client, superuser: Client, rule: RoutingRule
) -> None:
    first, second = opened(editor, rule), opened(superuser, rule)
    assert save(editor, rule, first, mode="pin", note="Incident 7.").status_code == 302
    page = text(save(superuser, rule, second, note="Ask Ada."))
    assert REFUSED in page
    who = r"staff_\w+ at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: "
    assert re.search(who + "mode from “observe” to “pin”, note from “” to “Incident 7.”", page)
    assert "Ask Ada.</textarea>" in page
    assert "Stored now: “Incident 7.”." in page
    assert "Stored now: “pin”." in page
    stored = RoutingRule.objects.get()
    assert (stored.mode, stored.note) == (Mode.PIN, "Incident 7.")


def test_the_second_press_saves(editor: Client, superuser: Client, rule: RoutingRule) -> None:
    first, second = opened(editor, rule), opened(superuser, rule)
    save(editor, rule, first, note="Incident 7.")
    told = version_in(text(save(superuser, rule, second, note="Ask Ada.")))
    assert save(superuser, rule, told, note="Ask Ada.").status_code == 302
    assert RoutingRule.objects.get().note == "Ask Ada."
    changes = Event.objects.filter(subject_kind="rule", kind="changed").order_by("pk")
    assert [event.after["note"] for event in changes] == ["Incident 7.", "Ask Ada."]


def test_a_third_who_comes_in_between_is_told_of_again(editor: Client, superuser: Client, rule: RoutingRule) -> None:
    loaded = opened(superuser, rule)
    save(editor, rule, opened(editor, rule), note="One.")
    told = version_in(text(save(superuser, rule, loaded, note="Mine.")))
    save(editor, rule, opened(editor, rule), note="Two.")
    page = text(save(superuser, rule, told, note="Mine."))
    assert "note from “One.” to “Two.”" in page
    assert "note from “” to “One.”" not in page


def test_a_button_on_the_dashboard_counts_as_well(superuser: Client, rollbacker: Client) -> None:
    rule = route("shop:product-list")
    loaded = opened(superuser, rule)
    rollbacker.post(f"/admin/readshift_admin/dashboard/rules/{rule.pk}/mode/", {"mode": "pin"})
    page = text(save(superuser, rule, loaded, mode="route", note="Mine.", confirm="on"))
    assert REFUSED in page
    assert "mode from “route” to “pin”" in page


def test_a_change_without_an_event_is_found_too(editor: Client, rule: RoutingRule) -> None:
    loaded = opened(editor, rule)
    RoutingRule.objects.update(note="By hand.")
    page = text(save(editor, rule, loaded))
    assert REFUSED in page
    assert "It left no event" in page


def test_nobody_is_told_of_what_they_want_as_well(editor: Client, superuser: Client, rule: RoutingRule) -> None:
    loaded = opened(superuser, rule)
    save(editor, rule, opened(editor, rule), note="The same.")
    assert save(superuser, rule, loaded, note="The same.").status_code == 302


def test_whoever_is_alone_saves_at_once_and_the_history_names_no_version(editor: Client, rule: RoutingRule) -> None:
    assert save(editor, rule, opened(editor, rule), note="Mine.").status_code == 302
    history = text(editor.get(f"{rule_url(rule).removesuffix('change/')}history/"))
    assert "Changed Note." in history


def test_a_version_is_read_as_it_was_written(rule: RoutingRule) -> None:
    version = Version.of(rule, "default")
    assert Version.parse(str(version)) == version
    assert version.event == Event.objects.get().pk
    for text_ in ("", "-", "abc", "abc-", "-7", "abc-x", "abc-²", f"abc-{'9' * 5_000}"):
        assert Version.parse(text_) is None


def test_saving_without_a_change_is_none(rule: RoutingRule) -> None:
    before = digest_of(RoutingRule.objects.get())
    rule.save()
    assert digest_of(RoutingRule.objects.get()) == before


def test_whoever_only_looks_sees_nothing_of_the_form_alone(viewer: Client, rule: RoutingRule) -> None:
    page = text(viewer.get(rule_url(rule)))
    assert "Freshness contract" in page
    assert "Version" not in page
    assert "Create this flag" not in page
