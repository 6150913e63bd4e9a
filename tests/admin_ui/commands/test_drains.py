"""`manage.py readshift drain` and `undrain`."""

import getpass
import json
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from rollout.loading import load_policy
from rollout.models import Door, DrainedReplica, Event, Process
from rollout.models.process import Identity

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    """Return what the command wrote to standard output."""
    out = StringIO()
    call_command("readshift", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_replica_is_drained_and_back_with_who_and_why_on_record() -> None:
    assert run("drain", "replica1", "--why", "New disk") == (
        "replica replica1 drained (“New disk”): it serves no reads\n"
    )
    assert load_policy("default").drained == {"replica1"}
    drained = DrainedReplica.objects.get()
    assert (drained.drained_by, drained.reason) == (getpass.getuser(), "New disk")
    assert run("undrain", "replica1", "--why", "Disk is in") == "replica replica1 serves reads again\n"
    assert load_policy("default").drained == frozenset()
    events = Event.objects.filter(subject="replica1").order_by("pk")
    assert [(event.door, event.who, event.why) for event in events] == [
        (Door.COMMAND, getpass.getuser(), "New disk"),
        (Door.COMMAND, getpass.getuser(), "Disk is in"),
    ]


def test_once_more_changes_nothing_and_is_no_error() -> None:
    DrainedReplica.objects.create(alias="replica1", drained_by="kim", reason="mine")
    assert run("drain", "replica1").startswith("was so already; ")
    assert DrainedReplica.objects.get().drained_by == "kim"
    run("undrain", "replica1")
    assert run("undrain", "replica1").startswith("was so already; ")


def test_draining_the_last_one_says_what_it_means() -> None:
    run("drain", "replica1")
    err = StringIO()
    call_command("readshift", "drain", "replica2", stdout=StringIO(), stderr=err)
    assert "No replica of the pool “default” serves any more, so all its reads go to the primary." in err.getvalue()


@pytest.mark.parametrize("command", ["drain", "undrain"])
@pytest.mark.parametrize("alias", ["default", "replica9"])
def test_what_is_no_replica_is_refused(command: str, alias: str) -> None:
    with pytest.raises(CommandError, match=r"is no replica\. The replicas are replica1, replica2") as caught:
        run(command, alias)
    assert caught.value.returncode == 3
    assert not DrainedReplica.objects.exists()


def test_one_that_is_no_replica_any_more_can_be_forgotten() -> None:
    DrainedReplica.objects.create(alias="gone")
    run("undrain", "gone")
    assert not DrainedReplica.objects.exists()


def test_json_and_waiting() -> None:
    Process.objects.tell(Identity(uuid4(), "web1", 7, "gunicorn", timezone.now()), 0, "default")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("readshift", "drain", "replica1", "--json", "--wait", "0.1", stdout=out)
    assert ended.value.code == 4
    content = json.loads(out.getvalue())
    processes = content.pop("processes")
    assert (processes["processes"], processes["current"]) == (1, 0)
    assert content == {
        "replica": "replica1",
        "change": "replica replica1 drained: it serves no reads",
        "had_no_need": False,
        "warning": "",
    }
    assert json.loads(run("undrain", "replica1", "--json"))["processes"] is None
