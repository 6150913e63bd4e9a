"""Every change of a rule, gate or drained replica raises the revision, in the transaction of the change."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import serializers
from django.db import ProgrammingError, connection, transaction
from waffle.models import Flag, Sample, Switch
from waffle.testutils import override_flag, override_sample, override_switch

from rollout.changes import announce, policy_changed
from rollout.gates import FlagGate, SampleGate
from rollout.loading import load_policy, read_revision
from rollout.models import DrainedReplica, GateKind, PolicyRevision, RoutingRule
from rollout.policy import KILL_SWITCH
from tests.rollout.support import create_flag
from tests.support import route

pytestmark = pytest.mark.django_db


@pytest.fixture
def flag() -> Flag:
    flag = create_flag("checkout")
    flag.users.add(User.objects.create(username="in"))
    flag.groups.add(Group.objects.create(name="in"))
    return flag


@pytest.fixture
def gates(flag: Flag) -> dict[str, Any]:
    """What the changes below change."""
    return {
        "flag": flag,
        "rule": route("names"),
        "switch": Switch.objects.create(name="on"),
        "sample": Sample.objects.create(name="some", percent=10),
        "drained": DrainedReplica.objects.create(alias="replica1"),
        "user": User.objects.create(username="out"),
        "group": Group.objects.create(name="out"),
    }


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a rule is created": lambda _: route("other"),
    "a rule is saved": lambda gates: gates["rule"].save(),
    "a rule is deleted": lambda gates: gates["rule"].delete(),
    "rules are deleted in bulk": lambda _: RoutingRule.objects.all().delete(),
    "a flag is created": lambda _: Flag.objects.create(name="other"),
    "a flag is saved": lambda gates: gates["flag"].save(),
    "a flag is deleted": lambda gates: gates["flag"].delete(),
    "a flag gains a user": lambda gates: gates["flag"].users.add(gates["user"]),
    "a flag loses a user": lambda gates: gates["flag"].users.remove(User.objects.get(username="in")),
    "a flag loses all users": lambda gates: gates["flag"].users.clear(),
    "a flag gains a group": lambda gates: gates["flag"].groups.add(gates["group"]),
    "a flag loses a group": lambda gates: gates["flag"].groups.remove(Group.objects.get(name="in")),
    "a flag loses all groups": lambda gates: gates["flag"].groups.clear(),
    "a user gains a flag": lambda gates: gates["user"].flag_set.add(gates["flag"]),
    "a switch is saved": lambda gates: gates["switch"].save(),
    "a switch is deleted": lambda gates: gates["switch"].delete(),
    "a replica is drained": lambda _: DrainedReplica.objects.create(alias="replica2"),
    "a drained replica is saved": lambda gates: gates["drained"].save(),
    "a drained replica may serve again": lambda gates: gates["drained"].delete(),
    "a sample is saved": lambda gates: gates["sample"].save(),
    "a sample is deleted": lambda gates: gates["sample"].delete(),
}


@pytest.fixture
def announced() -> Iterator[list[str]]:
    """The aliases for which this process was told of a change."""
    aliases: list[str] = []

    def note(using: str, **_: Any) -> None:
        aliases.append(using)

    policy_changed.connect(note)
    yield aliases
    policy_changed.disconnect(note)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_revision_grows_by_one_when(
    change: Callable[[dict[str, Any]], object], gates: dict[str, Any], announced: list[str]
) -> None:
    before = read_revision("default")
    announced.clear()
    change(gates)
    assert read_revision("default") == before + 1
    assert announced == ["default"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_revision_is_rolled_back_with_the_change_when(
    change: Callable[[dict[str, Any]], object], gates: dict[str, Any]
) -> None:
    before = read_revision("default")
    with transaction.atomic():
        change(gates)
        transaction.set_rollback(True)
    assert read_revision("default") == before


def test_reading_rules_and_gates_announces_nothing(gates: dict[str, Any], announced: list[str]) -> None:
    before = read_revision("default")
    announced.clear()
    load_policy("default")
    gates["flag"].is_active_for_user(gates["user"])
    assert (read_revision("default"), announced) == (before, [])


def test_a_change_that_sends_no_signal_can_be_announced_by_hand(gates: dict[str, Any], announced: list[str]) -> None:
    before = read_revision("default")
    announced.clear()
    Flag.objects.update(everyone=True)
    assert (read_revision("default"), announced) == (before, [])
    announce("default")
    assert (read_revision("default"), announced) == (before + 1, ["default"])


def test_a_fixture_that_is_loaded_announces_nothing(flag: Flag) -> None:
    fixture = serializers.serialize("json", [flag])
    before = read_revision("default")
    for loaded in serializers.deserialize("json", fixture):
        loaded.save()
    # The relations of a fixture are set as by hand; the row itself is not announced.
    assert read_revision("default") == before


@pytest.mark.parametrize("active", [True, False])
def test_waffles_override_flag_reaches_the_policy_and_is_undone(active: bool) -> None:
    route("names", gate=(GateKind.FLAG, "checkout"))
    before = load_policy("default")
    with override_flag("checkout", active=active):
        inside = load_policy("default")
        assert inside.revision > before.revision
        assert inside.endpoint_rules["names"].gate == FlagGate("checkout", everyone=active, superusers=True)
    after = load_policy("default")
    assert after.revision > inside.revision
    assert after.endpoint_rules["names"].gate is None


@pytest.mark.parametrize("active", [True, False])
def test_waffles_override_switch_reaches_the_policy_and_is_undone(active: bool) -> None:
    Switch.objects.update_or_create(name=KILL_SWITCH, defaults={"active": not active})
    with override_switch(KILL_SWITCH, active=active):
        assert load_policy("default").enabled is active
    assert load_policy("default").enabled is not active


@pytest.mark.parametrize(("active", "threshold"), [(True, 100_000), (False, 0), (12.5, 12_500)])
def test_waffles_override_sample_reaches_the_policy_and_is_undone(active: float, threshold: int) -> None:
    route("names", gate=(GateKind.SAMPLE, "some"))
    with override_sample("some", active=active):
        assert load_policy("default").endpoint_rules["names"].gate == SampleGate("some", threshold)
    assert load_policy("default").endpoint_rules["names"].gate is None


def test_a_flag_can_be_saved_before_our_tables_exist(caplog: pytest.LogCaptureFixture, announced: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {PolicyRevision._meta.db_table} RENAME TO not_yet")
    with caplog.at_level(logging.WARNING, logger="readshift"):
        Flag.objects.create(name="early")
    assert Flag.objects.filter(name="early").exists()
    assert "migrate" in caplog.text
    assert announced == ["default"]


def test_any_other_fault_of_our_tables_is_not_hidden() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {PolicyRevision._meta.db_table} RENAME COLUMN revision TO number")
    with pytest.raises(ProgrammingError, match="revision"), transaction.atomic():
        Flag.objects.create(name="early")
    assert not Flag.objects.filter(name="early").exists()


def test_there_is_one_revision_and_no_second() -> None:
    assert str(PolicyRevision(revision=7)) == "revision 7"
    with pytest.raises(Exception, match="readshift_one_revision"), transaction.atomic():
        PolicyRevision.objects.create(id=2, revision=1)
