"""`manage.py readshift doctor`: on servers that are well, and on some that are not."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from threading import Timer
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from waffle.models import Switch

from rollout.loading import read_revision
from rollout.models import Process
from rollout.models.process import Identity
from rollout.policy import KILL_SWITCH
from tests.admin_ui.support import count_reads
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

CHECKOUT = Path(__file__).resolve().parents[3]


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code and what the command wrote."""
    out, code = StringIO(), 0
    try:
        call_command("readshift", "doctor", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def found(output: str) -> dict[str, Any]:
    """Return verdict and fact of each check by its id, of the project and the one cluster."""
    content = json.loads(output)
    (cluster,) = content["clusters"]
    return {each["id"]: (each["verdict"], each["fact"]) for each in [*content["project"], *cluster["checklist"]]}


@pytest.fixture
def careful(servers: Servers, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Servers:
    """A project about which there is nothing to say."""
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {"connect_timeout": 2})
    replicas = {alias: {"CAPACITY": 1000} for alias in ("replica1", "replica2")}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": {"default": {"REPLICAS": replicas}}}
    route()
    count_reads(3, starts_at=timezone.now() - timedelta(hours=1), span_seconds=60)
    identity = Identity(uuid4(), "web1", 7, "gunicorn", timezone.now())
    Process.objects.tell(identity, read_revision("default"), "default")
    servers.settle()
    return servers


def test_where_all_is_well_it_says_so_and_exits_with_0(careful: Servers) -> None:
    code, output = run()
    assert code == 0, output
    project, cluster = output.split("\n\n")
    assert project.startswith("project: 4 are well\n")
    assert cluster.startswith("cluster default: ")
    assert "needs attention" not in output
    assert "well             Every server answers: default, replica1, replica2: answers\n" in cluster
    assert run("--json")[0] == 0


def test_what_needs_attention_exits_with_1_and_says_what_to_do(careful: Servers) -> None:
    Switch.objects.filter(name=KILL_SWITCH).update(active=False)
    route("nomes")
    code, output = run("--json")
    assert code == 1
    checks = found(output)
    assert checks["kill_switch"] == ("attention", "every read goes to the primary")
    assert checks["rules"][0] == "attention"
    assert "The rule for endpoint nomes matches nothing" in checks["rules"][1]
    assert checks["answers"][0] == "pass"


def test_a_replica_that_hangs_exits_with_2_and_leaves_the_rest(careful: Servers) -> None:
    hanging = careful.cluster.replicas[1]
    hanging.hang()
    try:
        code, output = run("--json")
    finally:
        hanging.resume()
    assert code == 2
    checks = found(output)
    assert checks["answers"] == ("fail", "replica2: did not answer within 2 s")
    assert checks["receives"][0] == "pass"
    assert json.loads(output)["clusters"][0]["settings"].keys() == {"default", "replica1"}


def test_a_primary_that_hangs_is_not_asked_again(careful: Servers) -> None:
    hanging = careful.cluster.primary
    # Whoever asked it all the same would be answered then, and say that the rules are well.
    answer = Timer(20, hanging.resume)
    hanging.hang()
    answer.start()
    try:
        code, output = run("--json")
    finally:
        answer.cancel()
        hanging.resume()
    assert code == 2
    checks = found(output)
    assert checks["rules"] == ("fail", "“default”: did not answer within 2 s")
    assert checks["receives"][0] == "pass"


def test_views_that_cannot_be_imported_are_said(careful: Servers, settings: Any) -> None:
    settings.ROOT_URLCONF = "nowhere.urls"
    code, output = run("--json")
    assert code == 1
    assert found(output)["rules"][1].startswith("the project's views cannot be imported: ")


def test_while_the_primary_is_down_it_says_what_it_can(servers: Servers) -> None:
    ports = ",".join(["1", *(str(server.port) for server in servers.cluster.replicas)])
    done = subprocess.run(
        [sys.executable, "-m", "django", "readshift", "doctor", "--json"],
        env={
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "DJANGO_SETTINGS_MODULE": "tests.worker_settings",
            "READSHIFT_TEST_PORTS": ports,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    checks = found(done.stdout)
    assert checks["answers"][0] == "fail"
    assert "default: did not answer: " in checks["answers"][1]
    assert checks["rules"][0] == "fail"
    assert checks["receives"][0] == "pass"
    assert checks["lag"][0] == "unknown"
