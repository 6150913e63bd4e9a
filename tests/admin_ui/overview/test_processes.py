"""Which processes are late, and what the page says of them."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from admin_ui.overview.processes import processes_of
from rollout.models import Process
from rollout.propagation import Roll, read_roll
from tests.admin_ui.support import DASHBOARD, LIVE, text
from tests.support import route

NOW = datetime(2026, 11, 23, 3, 12, 47, tzinfo=UTC)


def process(pid: int, revision: int | None, applied: float | None = 60, now: datetime = NOW) -> Process:
    """Return a process that is heard of now, and applied its revision so many seconds ago."""
    applied_at = None if applied is None else now - timedelta(seconds=applied)
    return Process(
        key=uuid.uuid4(),
        host="web1",
        pid=pid,
        service="gunicorn",
        started_at=NOW,
        revision=revision,
        applied_at=applied_at,
        seen_at=now,
    )


def roll(rows: Iterable[Process]) -> Roll:
    return Roll(17, tuple(rows), NOW)


def test_all_of_them_current_is_no_problem() -> None:
    found = processes_of(roll(process(pid, 17) for pid in range(8)))
    assert (found.words, found.problem) == ("8 of 8 processes on revision 17", "")


def test_those_behind_are_named_once_others_have_applied_it_for_a_while() -> None:
    rows = [process(1, 17, applied=6), process(2, 16), process(3, None, applied=None)]
    problem = processes_of(roll(rows)).problem
    assert problem.startswith(
        "2 processes do not act on revision 17 of the policy yet: gunicorn 2 on web1 (revision 16), "
        "gunicorn 3 on web1 (no policy yet)."
    )
    rows[0] = process(1, 17, applied=2)
    found = processes_of(roll(rows))
    assert found.problem == "", "A change takes a moment, which is no news."
    assert found.propagation.current == 1


def test_if_nobody_has_applied_it_nobody_can_say_since_when() -> None:
    assert processes_of(roll([process(1, 16)])).problem.startswith("1 process does not act on revision 17")


def test_many_are_counted() -> None:
    assert "and 4 more" in processes_of(roll([process(0, 17), *(process(pid, 16) for pid in range(1, 10))])).problem


def test_none_at_all_is_said() -> None:
    assert processes_of(Roll(3, (), None)).words == "No process has told yet which revision it acts on."


@pytest.mark.django_db
@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_the_page_counts_them_and_names_laggards(viewer: Client, address: str) -> None:
    route("names")
    revision, now = read_roll("default").revision, timezone.now()
    Process.objects.bulk_create(
        [process(1, revision, now=now), process(2, revision - 1, now=now), process(3, 1, now=now - timedelta(days=1))]
    )
    page = text(viewer.get(address))
    assert f"1 of 2 processes on revision {revision}" in page
    assert f"gunicorn 2 on web1 (revision {revision - 1})" in page
    assert "route nothing any more: gunicorn 3 on web1" in page
    assert "1 process does not act on revision" in page
