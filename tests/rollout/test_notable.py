"""Which events somebody is told of, and what is said."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rollout.models import Door, Event, EventKind
from rollout.notable import Notice, is_notable, takes_back

AT = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def event(subject_kind: str, before: dict[str, Any], after: dict[str, Any], **more: Any) -> Event:
    values: dict[str, Any] = {"kind": EventKind.CHANGED, "door": Door.DASHBOARD, "subject": "products", **more}
    return Event(at=AT, subject_kind=subject_kind, before=before, after=after, **values)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("flag", {"everyone": None}, {"everyone": False}),
        ("flag", {"everyone": True}, {"everyone": None, "percent": "5.0"}),
        ("flag", {"everyone": True, "percent": "1.0"}, {"everyone": None, "percent": "5.0"}),
        ("flag", {"percent": "25.0"}, {"percent": "5.0"}),
        ("flag", {"percent": "25.0"}, {"percent": None}),
        ("sample", {"percent": "25.0"}, {"percent": "9.5"}),
        ("switch", {"active": True}, {"active": False}),
        ("rule", {"mode": "route"}, {"mode": "observe"}),
    ],
)
def test_what_takes_reads_back_is_told(kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert takes_back(event(kind, before, after))
    assert is_notable(event(kind, before, after))
    assert not takes_back(event(kind, after, before))


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("flag", {"everyone": False}, {"everyone": None, "percent": "5.0"}),
        ("flag", {"everyone": None, "percent": "5.0"}, {"everyone": True}),
        ("flag", {"note": "a"}, {"note": "b"}),
        ("flag", {}, {"users": ["1"]}),
        ("rule", {"mode": "observe"}, {"mode": "route"}),
        ("rule", {"contract": "session"}, {"contract": "any"}),
        ("rule", {"mode": "pin"}, {"mode": "observe"}),
    ],
)
def test_what_raises_or_moves_nothing_is_not(kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert not is_notable(event(kind, before, after))


def test_the_deletion_of_a_gate_or_of_a_rule_that_routes_takes_back_and_its_creation_does_not() -> None:
    assert takes_back(event("rule", {"mode": "route"}, {}, kind=EventKind.DELETED))
    assert not takes_back(event("rule", {"mode": "observe"}, {}, kind=EventKind.DELETED))
    assert takes_back(event("flag", {"everyone": None}, {}, kind=EventKind.DELETED))
    assert not takes_back(event("flag", {}, {"everyone": False}, kind=EventKind.CREATED))


@pytest.mark.parametrize("active", [True, False])
def test_the_kill_switch_plans_drains_and_the_webhook_are_told_in_either_direction(active: bool) -> None:
    change = ({"active": not active}, {"active": active})
    assert is_notable(event("switch", *change, subject="readshift"))
    assert is_notable(event("plan", *change))
    assert is_notable(event("replica", *change))
    assert is_notable(event("flag", {"note": "a"}, {"note": "b"}, door=Door.WEBHOOK))
    assert not is_notable(event("switch", {"active": False}, {"active": True}))


def test_a_notice_says_what_happened_and_its_title_is_one_line() -> None:
    notice = Notice.of(event("flag", {"everyone": None}, {"everyone": False}, who="ada\nBcc: eve", why="errors", pk=7))
    assert notice.title == "Readshift: flag products changed by ada Bcc: eve, reads taken back to the primary"
    assert notice.text.splitlines()[:2] == [notice.title, ""]
    assert "why: errors" in notice.text
    assert "after: {'everyone': False}" in notice.text
    assert "measures" not in notice.text
    assert notice.content["id"] == 7
