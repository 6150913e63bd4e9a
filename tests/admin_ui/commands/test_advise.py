"""`manage.py readshift advise`, over what real requests left."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from waffle.models import Switch

from demo.shop.models import Product
from rollout.models import Mode
from rollout.policy import KILL_SWITCH
from routers.agent import Agent
from routers.meter import meter
from tests.rollout.support import create_flag
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def run(*arguments: str) -> tuple[str, int]:
    Agent(meter).flush()
    out, code = StringIO(), 0
    try:
        call_command("readshift", "advise", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return re.sub(r"[ \u202f]+", " ", out.getvalue()), code


def advice() -> dict[str, dict[str, Any]]:
    found = json.loads(run("--json")[0])
    return {each["endpoint"]: each for each in found["endpoints"]}


def get(client: Client, *names: str) -> None:
    for name in names:
        client.get(f"/test/{name}/")


def test_it_ranks_endpoints_before_there_is_any_rule(shop: Servers, client: Client) -> None:
    get(client, *["visited"] * 5)
    get(Client(), *["names"] * 4)
    text, code = run()
    assert code == 0
    assert text.index("1. names\n") < text.index("2. visited\n")
    assert "to win 4 of 4 reads" in text
    assert "risk low (0 %), from few units only" in text
    assert (
        "next Observe first: add a rule for it in mode observe: "
        "/admin/readshift/routingrule/add/?target_kind=endpoint&target=names&mode=observe"
    ) in text
    assert "safe write 100 % of 5 units wrote, though their HTTP method is a safe one" in text
    assert "write after read 100 % of 5 units wrote after they had read" in text
    assert "own writes 80 % of 5 units came from somebody who had just written" in text
    assert "next Take the write out of its safe requests first" in text


def test_it_tells_programs_what_it_tells_people(shop: Servers, client: Client) -> None:
    get(client, "names", "names", "read-write-read")
    found = json.loads(run("--json", "--limit", "1")[0])
    (first,) = found["endpoints"]
    assert (first["endpoint"], first["movable_reads"], first["units"], first["level"]) == ("names", 2, 2, "low")
    assert first["reads_on_primary_by_reason"] == {"no_rule": 2}
    assert found["movable_reads"] == 2 + advice()["read-write-read"]["movable_reads"]
    assert "1 more with --limit 2." in run("--limit", "1")[0]


def test_what_no_rule_would_move_is_not_counted_as_won(shop: Servers, client: Client) -> None:
    client.post("/test/names/")
    get(client, "in-transaction")
    Product.objects.count()
    found = advice()
    assert found["names"]["movable_reads"] == 0
    assert found["names"]["next"].startswith("Nothing")
    assert found["in-transaction"]["reads_on_primary_by_reason"]["in_transaction"] >= 1
    text, _ = run()
    assert "stays 1: The HTTP method may write" in text
    assert "1 read ran where no rule for an endpoint reaches" in text


def test_the_step_follows_the_rule(shop: Servers, client: Client) -> None:
    create_flag("stage", everyone=False)
    rule = route("names", mode=Mode.OBSERVE)
    get(client, "names")
    assert advice()["names"]["next"].startswith("Have 1 percent of its reads compared: /admin/readshift/routingrule/")
    rule.gate_kind, rule.gate_name, rule.mode = "flag", "stage", Mode.ROUTE
    rule.save()
    get(client, "names")
    assert advice()["names"]["movable_reads"] == 2
    assert advice()["names"]["next"] == (
        "Open its flag further, in stages: manage.py readshift plan endpoint:names --template careful"
    )


def test_with_the_kill_switch_off_it_says_what_it_cannot_know(shop: Servers, client: Client) -> None:
    Switch.objects.filter(name=KILL_SWITCH).update(active=False)
    get(client, "names")
    text, code = run()
    assert code == 0
    assert "Of 1 of 1 read on the primary nobody can say whether they could move" in text


def test_without_any_count_it_says_so(servers: Servers) -> None:
    text, code = run()
    assert code == 2
    assert "Is routers.middleware.ReadshiftMiddleware in MIDDLEWARE" in text


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--minutes", "0"), ("--minutes", "0.5"), ("--days", "0")])
def test_what_means_nothing_is_refused(servers: Servers, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert error.value.returncode == 2


@pytest.mark.parametrize("arguments", [("--days", "-1"), ("--minutes", "nan"), ("--minutes", "inf")])
def test_what_is_no_length_of_time_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="is no number of"):
        run(*arguments)
