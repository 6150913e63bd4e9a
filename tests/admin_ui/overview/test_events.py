"""The last changes on the overview."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from admin_ui.overview.events import LAST
from rollout.models import Door, Event, EventKind
from tests.admin_ui.support import DASHBOARD, KILL, text

pytestmark = pytest.mark.django_db

EVENTS = f"{DASHBOARD}live/events/"


def event(**changes: object) -> Event:
    values = {
        "at": timezone.now(),
        "kind": EventKind.CHANGED,
        "door": Door.DASHBOARD,
        "who": "kim",
        "why": "Errors doubled.",
        "subject_kind": "flag",
        "subject": "products",
        "before": {"percent": "25.0", "everyone": None},
        "after": {"percent": "5.0", "everyone": False},
    }
    return Event(**(values | changes))


def test_the_page_shows_the_newest(viewer: Client) -> None:
    now = timezone.now()
    Event.objects.bulk_create(
        event(subject=f"flag{number}", at=now - timedelta(minutes=number)) for number in range(LAST + 2)
    )
    for address in (DASHBOARD, EVENTS):
        page = text(viewer.get(address))
        assert f"flag{LAST - 1} was changed" in page
        assert f"flag{LAST} was changed" not in page
        assert page.index("flag0 was changed") < page.index("flag1 was changed")


def test_what_a_button_does_is_the_next_line(operator: Client) -> None:
    operator.post(KILL, {"state": "off", "reason": "Replicas burn."})
    page = text(operator.get(EVENTS))
    assert "readshift was turned off: every read goes to the primary" in page
    assert "Replicas burn." in page
    assert "staff_operate_routing" in page


def test_those_who_may_see_no_rules_see_no_changes(staff: Callable[..., Client]) -> None:
    assert staff("view_dashboard").get(EVENTS).status_code == 403
    assert staff("view_user").get(EVENTS).status_code == 403
