"""`manage.py readshift explain`."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from rollout.models import GateKind, Mode, TargetKind
from rollout.reasons import Reason
from routers.carriers import COOKIE
from routers.subjects import actor_key
from tests.rollout.support import create_flag
from tests.support import Servers, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

KEY = actor_key("session", "somebody")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("readshift", "explain", *arguments, stdout=out)
    return out.getvalue()


def explained(*arguments: str) -> dict[str, Any]:
    content = json.loads(run(*arguments, "--json"))
    assert isinstance(content, dict)
    return content


def rung(content: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in content["rungs"] if each["name"] == name)
    assert isinstance(found, dict)
    return found


def test_it_names_the_rung_that_decides_and_its_facts(servers: Servers) -> None:
    route("names")
    text = run("--endpoint", "names", "--model", "shop.Product", "--actor", KEY)
    assert "=> Outcome: decides: routed" in text
    assert "The rule for endpoint names: mode route, pool “default”, contract session." in text
    assert "The pool “default” has replica1 (weight 1), replica2 (weight 1)." in text
    assert "This actor keeps to replica" in text
    assert text.count("=> ") == 1


def test_what_stops_a_read_is_marked_and_what_would_is_said(servers: Servers) -> None:
    route("names", gate=(GateKind.FLAG, "gone"))
    text = run("--endpoint", "names", "--method", "post", "--actor", KEY)
    assert "=> HTTP method: decides: unsafe_method" in text
    assert "Gates: would stop it: gate_missing" in text
    assert "The waffle flag “gone” of the rule for endpoint names does not exist." in text
    assert "If the 2 rungs that stop it let it pass, replica" in text


def test_for_programs_there_is_one_object(servers: Servers) -> None:
    route("names", mode=Mode.OBSERVE)
    content = explained("--path", "/test/names/", "--model", "shop.Product", "--actor", KEY)
    assert (content["endpoint"], content["alias"], content["reason"]) == ("names", "default", Reason.OBSERVED)
    assert content["candidate"] in {"replica1", "replica2"}
    assert [each["name"] for each in content["rungs"] if each["decides"]] == ["outcome"]


def test_a_user_without_an_actor_leaves_a_percentage_open(servers: Servers) -> None:
    User.objects.create_user("grace")
    create_flag("names", percent=25)
    route("names", gate=(GateKind.FLAG, "names"))
    content = explained("--endpoint", "names", "--user", "grace")
    assert (content["reason"], content["otherwise"]) == (Reason.GATE_OFF, Reason.ROUTED)
    assert (
        "It is open for 25 % of the actors, the buckets below 25,000: no actor is given."
        in (rung(content, "gates")["facts"])
    )


def test_a_user_whose_session_is_a_signed_cookie_is_an_actor(servers: Servers, settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    user = User.objects.create_user("grace")
    assert explained("--endpoint", "names", "--user", "grace")["actor"] == actor_key("session", str(user.pk))


def test_an_actor_of_the_projects_own_is_named_as_its_function_names_it(servers: Servers, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "ACTOR": "tests.support.account_header"}
    assert explained("--endpoint", "names", "--actor", "own:42")["actor"] == actor_key("own", "42")


def test_a_token_is_held_against_the_positions_of_the_replicas(shop: Servers, client: Any, settings: Any) -> None:
    route("names")
    with probing(settings), shop.held():
        client.get("/test/read-write-read/")
        token = client.cookies[COOKIE].value
        content = explained("--endpoint", "names", "--model", "shop.Product", "--actor", KEY, "--token", token)
    assert content["reason"] == Reason.BEHIND
    facts = " ".join(rung(content, "replica")["facts"])
    assert "The actor must be shown everything up to position" in facts
    assert "replica1 had not reached it when last asked." in facts
    assert "replica1 serves reads, at " in facts


def test_a_denied_model_names_the_entry_that_it_is_on(servers: Servers) -> None:
    route("names")
    facts = rung(explained("--endpoint", "names", "--model", "sessions.Session"), "deny_list")["facts"]
    assert facts == ["“sessions.Session” is on the list."]
    facts = rung(explained("--endpoint", "names", "--model", "admin.LogEntry"), "deny_list")["facts"]
    assert facts == ["“admin” is on the list."]


def test_without_a_model_it_says_that_one_could_still_stop_it(servers: Servers) -> None:
    route("names")
    route("shop.Product", kind=TargetKind.MODEL, mode=Mode.PIN)
    content = explained("--endpoint", "names", "--actor", KEY)
    assert content["reason"] == Reason.ROUTED
    assert (
        "No model is named. A rule for the model that is read must let it go as well."
        in (rung(content, "rules")["facts"])
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--endpoint", "shop:product-lost"], "No view, task or command is named “shop:product-lost”"),
        (["--endpoint", "shop:product-lost"], "Did you mean “shop:product-list”"),
        (["--path", "/no/such/view"], "No view answers the path “/no/such/view”."),
        (["--endpoint", "names", "--model", "shop.Prodct"], "Did you mean “shop.Product”"),
        (["--endpoint", "names", "--user", "nobody"], "No user is named “nobody”."),
        (["--endpoint", "names", "--actor", "grace"], "“grace” is no actor's key."),
        (["--endpoint", "names", "--actor", "own:42"], "There is no actor function"),
    ],
)
def test_what_does_not_exist_ends_it_with_a_code_of_its_own(
    servers: Servers, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message.replace("[", r"\[")) as ended:
        run(*arguments)
    assert ended.value.returncode == 3


def test_a_model_of_no_cluster_is_somebody_elses(servers: Servers, settings: Any) -> None:
    clusters = {"default": {"REPLICAS": ["replica1"], "APPS": ["auth"]}}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": clusters}
    with pytest.raises(CommandError, match=r"shop\.Product belongs to no cluster"):
        run("--endpoint", "names", "--model", "shop.Product")
    with pytest.raises(CommandError, match="Name the model as well"):
        run("--endpoint", "names")


def test_what_fails_while_it_is_decided_ends_it_with_another_code(servers: Servers, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SESSION_STATE": "tests.support.no_such_function"}
    route("names")
    with pytest.raises(CommandError, match="Deciding about this read failed: ImportError") as ended:
        run("--endpoint", "names", "--actor", KEY)
    assert ended.value.returncode == 1
