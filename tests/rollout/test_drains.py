"""Replicas taken out of service: who may be drained, what every process learns of it, and how it ends."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import override_settings

from rollout import operations
from rollout.exposure import Exposure
from rollout.gates import EVERYBODY, NOBODY
from rollout.loading import load_policy, read_revision
from rollout.models import DrainedReplica

pytestmark = pytest.mark.django_db


def drain(alias: str = "replica1", by: str = "kim", reason: str = "New disk.") -> bool:
    """Drain a replica and say whether that raised exposure."""
    return operations.drain(alias, by, reason, "default").raises_exposure


def drained() -> frozenset[str]:
    return load_policy("default").drained


def test_nothing_is_drained_at_first() -> None:
    assert drained() == frozenset()


def test_a_drained_replica_is_in_the_policy_with_who_and_why_in_the_table() -> None:
    assert not drain()
    assert drained() == {"replica1"}
    row = DrainedReplica.objects.get()
    assert (row.alias, row.drained_by, row.reason) == ("replica1", "kim", "New disk.")
    assert str(row) == "drained replica replica1"
    assert load_policy("default").problems == ()


def test_draining_again_changes_and_announces_nothing() -> None:
    drain()
    before = (read_revision("default"), *DrainedReplica.objects.values())
    assert operations.drain("replica1", "sam", "Other.", "default").before == Exposure(NOBODY)
    assert (read_revision("default"), *DrainedReplica.objects.values()) == before


def test_letting_it_serve_again_raises_exposure_and_doing_it_twice_nothing() -> None:
    drain()
    drain("replica2")
    change = operations.undrain("replica1", "default")
    assert (change.before, change.after) == (Exposure(NOBODY), Exposure(EVERYBODY))
    assert change.raises_exposure
    assert drained() == {"replica2"}
    before = read_revision("default")
    assert not operations.undrain("replica1", "default").raises_exposure
    assert read_revision("default") == before


def test_each_is_announced_once() -> None:
    before = read_revision("default")
    drain()
    assert read_revision("default") == before + 1
    operations.undrain("replica1", "default")
    assert read_revision("default") == before + 2


def test_planning_changes_nothing() -> None:
    drain()
    before = (read_revision("default"), *DrainedReplica.objects.values())
    assert operations.plan_drain("replica2", "default").before == Exposure(EVERYBODY)
    assert operations.plan_undrain("replica1", "default").raises_exposure
    assert (read_revision("default"), *DrainedReplica.objects.values()) == before


@pytest.mark.parametrize("alias", ["default", "replica3", ""])
def test_only_replicas_can_be_drained_and_the_others_are_named(alias: str) -> None:
    with pytest.raises(ValidationError) as caught:
        drain(alias)
    assert caught.value.message_dict["alias"] == [f"“{alias}” is no replica. The replicas are replica1, replica2."]
    assert not DrainedReplica.objects.exists()


@override_settings(READSHIFT={})
def test_without_any_replica_none_can_be_drained() -> None:
    with pytest.raises(ValidationError, match="READSHIFT names no replica"):
        drain()


def test_the_database_takes_one_row_for_a_replica() -> None:
    drain()
    with pytest.raises(IntegrityError), transaction.atomic():
        DrainedReplica.objects.create(alias="replica1")


def test_a_drained_alias_that_is_no_replica_any_more_is_a_problem_in_words_and_can_be_lifted() -> None:
    DrainedReplica.objects.create(alias="gone")
    drain()
    (problem,) = load_policy("default").problems
    assert problem.startswith("“gone” is drained and is no replica of the READSHIFT setting any more.")
    assert "Let it serve again" in problem
    operations.undrain("gone", "default")
    assert load_policy("default").problems == ()
