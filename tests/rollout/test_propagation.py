"""How far a revision has come: what is told of given rows, and what the table holds."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from rollout.models import PolicyRevision, Process
from rollout.models.process import Identity
from rollout.propagation import Laggard, Propagation, propagation, read_propagation, wait_for_processes
from rollout.settings import get_settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONGEST = timedelta(seconds=40)


def row(pid: int, revision: int | None, age: float = 0.0, host: str = "web1") -> Process:
    return Process(
        key=UUID(int=pid),
        host=host,
        pid=pid,
        service="gunicorn",
        started_at=NOW,
        revision=revision,
        seen_at=NOW - timedelta(seconds=age),
    )


def spread(revision: int, *rows: Process) -> Propagation:
    return propagation(revision, rows, NOW, LONGEST)


def test_processes_on_the_revision_or_a_later_one_are_current() -> None:
    found = spread(17, row(1, 17), row(2, 18))
    assert (found.processes, found.current, found.is_complete) == (2, 2, True)
    assert str(found) == "2 of 2 processes on revision 17"


def test_processes_behind_are_named_with_what_they_act_on() -> None:
    found = spread(17, row(1, 17), row(3, None), row(2, 16))
    assert found.behind == (Laggard("gunicorn 2 on web1", 16), Laggard("gunicorn 3 on web1", None))
    assert not found.is_complete
    assert str(found) == (
        "1 of 3 processes on revision 17; behind: gunicorn 2 on web1 (revision 16), gunicorn 3 on web1 (no policy yet)"
    )


def test_processes_that_tell_nothing_are_gone_and_nobody_waits_for_them() -> None:
    found = spread(17, row(1, 17, age=40), row(2, 16, age=40.1))
    assert (found.processes, found.current, found.is_complete) == (1, 1, True)
    assert str(found) == "1 of 1 process on revision 17; gone: gunicorn 2 on web1"


def test_without_processes_nobody_is_behind() -> None:
    assert str(spread(17)) == "0 of 0 processes on revision 17"
    assert spread(17).is_complete


@given(st.lists(st.tuples(st.none() | st.integers(0, 5), st.floats(0, 80)), max_size=12), st.integers(0, 5))
def test_every_process_is_current_behind_or_gone(told: list[tuple[int | None, float]], revision: int) -> None:
    found = spread(revision, *(row(number, *each) for number, each in enumerate(told)))
    assert found.current + len(found.behind) == found.processes
    assert found.processes + len(found.gone) == len(told)
    assert all(laggard.revision is None or laggard.revision < revision for laggard in found.behind)


def identity(pid: int = 7) -> Identity:
    return Identity(uuid4(), "web1", pid, "gunicorn", NOW)


def silence(process: Identity, seconds: float) -> None:
    """Let it be so long since this process told anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE readshift_process SET seen_at = seen_at - make_interval(secs => %s) WHERE key = %s",
            [seconds, process.key],
        )


@pytest.mark.django_db
def test_a_process_has_one_row_and_its_revision_the_time_when_it_was_first_told() -> None:
    me = identity()
    Process.objects.tell(me, None, "default")
    assert Process.objects.values_list("revision", "applied_at").get() == (None, None)
    Process.objects.tell(me, 3, "default")
    first = Process.objects.get()
    assert (first.revision, first.applied_at) == (3, first.seen_at)
    Process.objects.tell(me, 3, "default")
    again = Process.objects.get()
    assert again.applied_at == first.applied_at
    assert again.seen_at > first.seen_at
    Process.objects.tell(me, 4, "default")
    later = Process.objects.get()
    assert (later.revision, later.applied_at) == (4, later.seen_at)
    assert (later.host, later.pid, later.service, later.started_at) == ("web1", 7, "gunicorn", NOW)


@pytest.mark.django_db
def test_the_current_revision_is_asked_about_unless_another_is_named() -> None:
    PolicyRevision.objects.update_or_create(id=1, defaults={"revision": 5})
    Process.objects.tell(identity(), 4, "default")
    assert str(read_propagation("default")).startswith("0 of 1 process on revision 5; behind: ")
    assert str(read_propagation("default", 4)) == "1 of 1 process on revision 4"


@pytest.mark.django_db
def test_who_is_gone_follows_from_how_old_a_policy_may_be(settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "POLICY_MAX_AGE_SECONDS": 300}
    assert get_settings().longest_absence_seconds == 400
    me = identity()
    Process.objects.tell(me, 4, "default")
    silence(me, 390)
    assert read_propagation("default", 5).processes == 1
    silence(me, 20)
    assert read_propagation("default", 5).gone == ("gunicorn 7 on web1",)


@pytest.mark.django_db
def test_rows_of_those_that_are_gone_are_forgotten_and_no_others() -> None:
    gone, here = identity(1), identity(2)
    for each in (gone, here):
        Process.objects.tell(each, 4, "default")
    silence(gone, 41)
    silence(here, 39)
    Process.objects.forget_silent(40, "default")
    assert [process.pid for process in Process.objects.all()] == [2]


class Time:
    """A clock that runs only while somebody sleeps, and what happens meanwhile, by time."""

    def __init__(self, *events: tuple[float, Identity, int]) -> None:
        self.now = 0.0
        self.events = [*events]

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.events and self.events[0][0] <= self.now:
            _, process, revision = self.events.pop(0)
            Process.objects.tell(process, revision, "default")


@pytest.mark.django_db
def test_waiting_ends_with_the_last_process() -> None:
    first, second = identity(1), identity(2)
    for each in (first, second):
        Process.objects.tell(each, 4, "default")
    time = Time((0.1, first, 5), (0.22, second, 5))
    found = wait_for_processes(5, 3.0, "default", clock=lambda: time.now, sleep=time.sleep)
    assert str(found) == "2 of 2 processes on revision 5"
    assert time.now == pytest.approx(0.25)


@pytest.mark.django_db
def test_waiting_ends_when_the_time_is_over_and_tells_who_is_behind() -> None:
    Process.objects.tell(identity(1), 4, "default")
    time = Time()
    found = wait_for_processes(5, 0.12, "default", clock=lambda: time.now, sleep=time.sleep)
    assert found.behind == (Laggard("gunicorn 1 on web1", 4),)
    assert time.now == pytest.approx(0.12)
