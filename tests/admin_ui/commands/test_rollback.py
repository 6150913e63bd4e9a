"""`manage.py readshift rollback`: in this process, and as a process of its own while only the primary is up."""

import getpass
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from waffle.models import Switch

from demo.waiting import wait_until
from rollout.models import Door, Event, Mode, Process, RoutingRule
from rollout.models.process import Identity
from rollout.policy import KILL_SWITCH
from tests.admin_ui.support import flag
from tests.support import Servers, probing, route

CHECKOUT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> str:
    """Return what the command wrote."""
    out = StringIO()
    call_command("readshift", "rollback", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
class TestInThisProcess:
    def test_it_says_what_it_did_and_what_went_with_it(self) -> None:
        gate = flag(percent="25")
        route("names", gate=gate)
        route("names-async", gate=gate)
        assert run("endpoint:names", "--why", "errors doubled").splitlines() == [
            "endpoint:names: flag products: from 25 % to 0 %",
            "  through the same gate, and so taken back as well: endpoint:names-async",
        ]
        event = Event.objects.get(subject="products")
        assert (event.door, event.why, event.who) == (Door.COMMAND, "errors doubled", getpass.getuser())
        assert "was back already" in run("names")

    def test_all_is_the_kill_switch(self, kill_switch: Switch) -> None:
        content: dict[str, Any] = json.loads(run("--all", "--json"))
        (done,) = content["done"]
        assert (done["rule"], done["before"], done["after"], done["had_no_need"]) == (None, "100 %", "0 %", False)
        assert not Switch.objects.get(name=KILL_SWITCH).active

    def test_it_waits_for_every_process_and_names_those_that_have_not_said_so(self) -> None:
        route("names")
        assert run("names", "--wait", "0").endswith("0 of 0 processes on revision 2\n")
        content: dict[str, Any] = json.loads(run("names", "--wait", "0", "--json"))
        assert content["processes"] == {"revision": 2, "processes": 0, "current": 0, "behind": [], "gone": []}
        Process.objects.tell(Identity(uuid4(), "web1", 7, "gunicorn", timezone.now()), 1, "default")
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("readshift", "rollback", "names", "--wait", "0.1", stdout=out)
        assert ended.value.code == 4
        assert "0 of 1 process on revision 2; behind: gunicorn 7 on web1 (revision 1)" in out.getvalue()

    def test_a_name_that_means_nothing_refuses_everything(self) -> None:
        route("names")
        with pytest.raises(CommandError, match=r"“nomes”. Did you mean endpoint:names\? Nothing was changed") as caught:
            run("names", "nomes")
        assert caught.value.returncode == 3
        assert RoutingRule.objects.get().mode == Mode.ROUTE

    @pytest.mark.parametrize("arguments", [(), ("names", "--all")])
    def test_it_takes_rules_or_all(self, arguments: tuple[str, ...]) -> None:
        route("names")
        with pytest.raises(CommandError, match=r"not allowed|required"):
            run(*arguments)
        assert RoutingRule.objects.get().mode == Mode.ROUTE


SETTINGS = """
from tests.worker_settings import *
CACHES["default"]["LOCATION"] = "redis://127.0.0.1:1"
CELERY_BROKER_URL = "redis://127.0.0.1:1"
ROOT_URLCONF = "web.tier.is.down"
"""


def manage(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, with neither cache nor broker nor views."""
    (folder / "without_anything.py").write_text(SETTINGS)
    path = os.pathsep.join([str(folder), str(CHECKOUT)])
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "django", "readshift", "rollback", *arguments],
        env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "without_anything", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("arguments", [("endpoint:names",), ("--all",)])
def test_another_process_reads_from_the_primary_once_the_command_is_over(
    shop: Servers, client: Client, settings: Any, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    route("names", gate=flag(everyone=True))
    with probing(settings):
        with shop.watch() as before:
            client.get("/test/names/")
        done = manage(tmp_path, *arguments)
        assert done.returncode == 0
        assert "waffle gate that was changed" in done.stderr
        assert "to 0 %" in done.stdout or "kill switch off" in done.stdout
        wait_until(lambda: reads_at_primary(client, shop), 20, "the agent to follow")
    assert (before.primary, before.replicas) == (0, 1)
    assert Event.objects.order_by("pk").last().door == Door.COMMAND  # type: ignore[union-attr]


def reads_at_primary(client: Client, shop: Servers) -> bool:
    with shop.watch() as reads:
        client.get("/test/names/")
    assert reads.total == 1
    return reads.primary == 1


@pytest.mark.django_db(transaction=True)
def test_a_primary_that_is_down_is_said(servers: Servers, tmp_path: Path) -> None:
    done = manage(tmp_path, "--all", READSHIFT_TEST_PORTS="1,2,3")
    assert done.returncode == 1
    assert "The primary did not take the change, so nothing was rolled back: connection" in done.stderr
    assert Switch.objects.get(name=KILL_SWITCH).active
