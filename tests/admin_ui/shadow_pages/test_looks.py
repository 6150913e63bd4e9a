"""Marking reads as looked at: who may, what it does to the strip and the record, and taking it back."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from rollout import looks
from rollout.models import Door, Event, ShadowRead
from rollout.notable import is_notable
from rollout.outcomes import Outcome, ShadowCause
from tests.admin_ui.shadow_pages.support import LIST, LOOK_AT_ALL, detail, diverged, observing, page
from tests.admin_ui.support import DASHBOARD, LIVE, messages
from tests.tasks.reporting.reported import store

pytestmark = pytest.mark.django_db

ALARM = "divergent shadow reads of the last day"


def look(client: Client, read: ShadowRead, note: str = "") -> Any:
    return client.post(f"{detail(read)}looked-at/", {"reason": note})


def look_at_all(client: Client, query: str = "", **changes: str) -> Any:
    """Press the button of a list that was loaded just now."""
    listing = client.get(f"{LIST}{query}").context["listing"]
    return client.post(LOOK_AT_ALL, {**listing.asked.filters.fields, "until": str(listing.newest), **changes})


def undo(client: Client, read: ShadowRead) -> Any:
    return client.post(f"{detail(read)}not-looked-at/")


def unseen() -> set[int]:
    return set(looks.unseen(ShadowRead.objects.all()).values_list("pk", flat=True))


def test_a_look_is_noted_with_name_time_and_note(rollbacker: Client) -> None:
    (read,) = diverged()
    response = look(rollbacker, read, "ticket 7")
    assert response["Location"] == detail(read)
    assert messages(response) == [f"Shadow read {read.pk} of shop:product-list marked as looked at."]
    read.refresh_from_db()
    assert (read.looked_by, read.look_note) == ("staff_rollback_routing", "ticket 7")
    assert read.looked_at is not None
    assert "by staff_rollback_routing" in page(rollbacker, detail(read))
    assert "ticket 7" in page(rollbacker, detail(read))


def test_a_look_leaves_an_event_that_nobody_is_woken_for(rollbacker: Client) -> None:
    (read,) = diverged()
    look(rollbacker, read, "ticket 7")
    event = Event.objects.get(subject_kind=looks.SUBJECT_KIND)
    assert (event.subject, event.door, event.who, event.why) == (
        f"{read.pk} of shop:product-list",
        Door.DASHBOARD,
        "staff_rollback_routing",
        "ticket 7",
    )
    assert event.before == {"looked_at": None}
    assert event.after["reads"] == 1
    assert not is_notable(event)
    assert LogEntry.objects.get().object_id == str(read.pk)


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_what_was_looked_at_alarms_no_more_and_the_next_one_does(rollbacker: Client, address: str) -> None:
    observing()
    first, second = diverged(2)
    assert ALARM in page(rollbacker, address)
    look(rollbacker, first)
    assert ALARM in page(rollbacker, address)
    look(rollbacker, second)
    assert ALARM not in page(rollbacker, address)
    diverged()
    assert ALARM in page(rollbacker, address)


def test_a_look_at_one_rule_leaves_the_alarm_of_another(rollbacker: Client) -> None:
    observing()
    observing("names")
    (read,) = diverged()
    diverged(endpoint="names", model="")
    look(rollbacker, read)
    assert f"1 rule has {ALARM}: names" in page(rollbacker, DASHBOARD)


def test_a_look_does_not_change_the_verdict(rollbacker: Client) -> None:
    observing()
    (read,) = diverged()
    look(rollbacker, read)
    assert "needs a look</strong>: 1 of 1 compared are divergent" in page(rollbacker)


def test_taking_a_look_back_alarms_again(rollbacker: Client) -> None:
    observing()
    (read,) = diverged()
    look(rollbacker, read, "ticket 7")
    response = undo(rollbacker, read)
    assert messages(response)[-1] == f"Shadow read {read.pk} of shop:product-list marked as not looked at."
    read.refresh_from_db()
    assert (read.looked_at, read.looked_by, read.look_note) == (None, "", "")
    assert ALARM in page(rollbacker, DASHBOARD)
    looked, taken_back = Event.objects.filter(subject_kind=looks.SUBJECT_KIND).order_by("pk")
    assert taken_back.before["looked_at"] == looked.after["looked_at"] != taken_back.after["looked_at"] is None


def test_viewers_see_no_button_and_may_press_none(viewer: Client, editor: Client) -> None:
    (read,) = diverged()
    for client in (viewer, editor):
        assert "<button" not in page(client, detail(read)).split("rs-nav")[1]
        assert "Looked at all" not in page(client)
        assert look(client, read).status_code == 403
        assert look_at_all(client).status_code == 403
        assert undo(client, read).status_code == 403
    assert unseen() == {read.pk}


def test_get_is_refused(superuser: Client) -> None:
    (read,) = diverged()
    for address in (LOOK_AT_ALL, f"{detail(read)}looked-at/", f"{detail(read)}not-looked-at/"):
        assert superuser.get(address).status_code == 405


def test_a_request_without_a_token_is_refused(superuser: Client) -> None:
    (read,) = diverged()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = superuser.cookies
    assert look(strict, read).status_code == 403
    assert unseen() == {read.pk}


def test_the_second_of_two_operators_is_told(rollbacker: Client, operator: Client) -> None:
    (read,) = diverged()
    look(rollbacker, read, "mine")
    assert "somebody has looked at it meanwhile, so nothing was changed" in messages(look(operator, read, "other"))[0]
    read.refresh_from_db()
    assert read.look_note == "mine"
    undo(operator, read)
    assert "is not marked as looked at, so nothing was changed" in messages(undo(rollbacker, read))[-1]


def test_equal_reads_and_reads_that_are_gone_cannot_be_marked(rollbacker: Client) -> None:
    (read,) = store(1)
    assert "needs no look" in messages(look(rollbacker, read))[0]
    read.delete()
    assert "nothing was changed" in messages(look(rollbacker, ShadowRead(pk=4711)))[0]
    assert not Event.objects.filter(subject_kind=looks.SUBJECT_KIND).exists()


def test_all_that_a_list_shows_are_marked_at_once_in_one_event(rollbacker: Client) -> None:
    rule = observing()
    chosen = diverged(3, cause=ShadowCause.ORDER)
    others = [*diverged(1), *diverged(1, cause=ShadowCause.ORDER, endpoint="names")]
    store(2)
    response = look_at_all(rollbacker, f"?rule={rule.pk}&outcome=divergent&cause=order", reason="collations")
    assert response["Location"] == f"{LIST}?rule={rule.pk}&outcome=divergent&cause=order"
    words = "divergent, the same rows in another order, of endpoint shop:product-list"
    assert messages(response) == [f"3 shadow reads marked as looked at: {words}."]
    assert unseen() == {read.pk for read in others}
    event = Event.objects.get(subject_kind=looks.SUBJECT_KIND)
    assert (event.subject, event.why, event.after["reads"]) == (words, "collations", 3)
    assert event.after["first"] == chosen[0].pk


def test_reads_that_came_after_the_page_was_loaded_are_not_marked(rollbacker: Client) -> None:
    (shown,) = diverged()
    until = str(rollbacker.get(LIST).context["listing"].newest)
    (newer,) = diverged(age=timedelta(0))
    rollbacker.post(LOOK_AT_ALL, {"span": "7d", "until": until})
    assert unseen() == {newer.pk}
    shown.refresh_from_db()
    assert shown.looked_at


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"until": ""}, "did not say up to which read"),
        ({"rule": "4711"}, "There is no rule “4711”"),
        ({"outcome": "equal"}, "no read left to look at"),
    ],
)
def test_what_cannot_be_meant_marks_nothing(rollbacker: Client, changes: dict[str, str], problem: str) -> None:
    (read,) = diverged()
    assert problem in messages(look_at_all(rollbacker, **changes))[0]
    assert unseen() == {read.pk}


def test_so_many_are_marked_at_once_the_newest_first(rollbacker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "MOST_AT_ONCE", 2)
    (older,) = diverged(age=timedelta(hours=1))
    diverged(2)
    assert "2 at once at most" in messages(look_at_all(rollbacker))[0]
    assert unseen() == {older.pk}


def test_undoing_takes_back_all_that_were_marked_together(rollbacker: Client) -> None:
    reads = diverged(3)
    look(rollbacker, reads[0])
    look_at_all(rollbacker)
    assert "with 1 marked together with it" in page(rollbacker, detail(reads[1]))
    assert messages(undo(rollbacker, reads[1]))[-1] == "2 shadow reads marked as not looked at."
    assert unseen() == {reads[1].pk, reads[2].pk}


def test_a_look_of_no_use_to_reads_that_are_only_late(rollbacker: Client) -> None:
    store(3, outcome=Outcome.CAUGHT_UP)
    assert "Looked at all" not in page(rollbacker)


def test_the_page_says_when_somebody_looked(viewer: Client) -> None:
    (read,) = diverged(looked_at=timezone.now(), looked_by="", look_note="")
    assert "Looked at</strong> by somebody at" in page(viewer, detail(read))
