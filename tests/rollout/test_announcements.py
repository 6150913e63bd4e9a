"""What another client of the primary hears of a change, and when."""

import threading

import pytest
from django.db import transaction
from waffle.models import Flag, Switch

from rollout.loading import read_revision
from rollout.models import PolicyRevision
from tests.rollout.support import TIMEOUT_SECONDS, Listener, Worker, wait_for_lock
from tests.support import route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_a_change_is_announced_with_its_revision(listener: Listener) -> None:
    route("names")
    revision = read_revision("default")
    Switch.objects.create(name="on")
    assert listener.heard() == [str(revision), str(revision + 1)]


def test_a_change_is_announced_at_commit_and_not_before(listener: Listener) -> None:
    with transaction.atomic():
        route("names")
        assert listener.heard() == []
    assert listener.heard() == [str(read_revision("default"))]


def test_a_change_that_is_rolled_back_is_not_announced(listener: Listener) -> None:
    with transaction.atomic():
        route("names")
        transaction.set_rollback(True)
    assert listener.heard() == []


def test_whoever_hears_of_a_revision_can_read_it(listener: Listener) -> None:
    with transaction.atomic():
        PolicyRevision.objects.bump("default")
        Flag.objects.create(name="checkout")
    *_, heard = listener.heard()
    row = listener.client.execute("SELECT revision FROM readshift_policyrevision").fetchone()
    assert row == (int(heard),)


def test_of_two_concurrent_changes_the_one_that_commits_first_has_the_lower_revision(
    listener: Listener, worker: Worker
) -> None:
    Flag.objects.bulk_create([Flag(name="one"), Flag(name="other")])
    PolicyRevision.objects.bump("default")
    may_start = threading.Event()

    def change_other() -> int:
        may_start.wait(TIMEOUT_SECONDS)
        with transaction.atomic():
            Flag.objects.get(name="other").save()
            return read_revision("default")

    other = worker.start(change_other)
    listener.heard()
    with transaction.atomic():
        Flag.objects.get(name="one").save()
        own_revision = read_revision("default")
        may_start.set()
        wait_for_lock()
        assert not other.done()
    assert other.result(TIMEOUT_SECONDS) == own_revision + 1
    assert listener.heard() == [str(own_revision), str(own_revision + 1)]
