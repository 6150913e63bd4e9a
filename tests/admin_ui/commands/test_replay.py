"""`manage.py readshift replay`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from admin_ui.commands.replay import Replay
from admin_ui.management.commands.readshift import Command
from rollout.models import ShadowRead, ShadowState, TallyKind, TargetKind
from rollout.outcomes import Outcome, ShadowCause
from routers.meter import meter
from tests.support import Servers, route
from tests.tasks.reporting.reported import STATEMENT, sealed, store

pytestmark = pytest.mark.django_db

SECRET = "somebody@example.net"
QUERY = b"SELECT id FROM shop_product WHERE price > 4711 AND owner = $1"


@dataclass(frozen=True)
class Comparison:
    """How a replay ended."""

    outcome: str = Outcome.EQUAL
    cause: str | None = None
    replica: str = "replica2"
    staleness_ms: float | None = None
    primary_ms: float | None = 1.5
    replica_ms: float | None = 2.5
    rows: int | None = 3
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What a run wrote, and how it ended."""

    out: str
    err: str
    code: int

    @property
    def content(self) -> Any:
        return json.loads(self.out)


def run(read: ShadowRead | int, *arguments: str, result: Comparison | None = None) -> Run:
    """Run the command as a terminal does, with a comparison that ends like this."""

    def compare_again(asked: ShadowRead) -> Comparison:
        assert isinstance(read, ShadowRead)
        assert asked.pk == read.pk
        assert result is not None, "nothing should have been compared"
        return result

    class Wired(Command):
        subcommands = (Replay(compare_again),)

    out, err, code = StringIO(), StringIO(), 0
    pk = read.pk if isinstance(read, ShadowRead) else read
    try:
        call_command(Wired(), "replay", str(pk), *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    except CommandError as error:
        err.write(str(error))
        code = error.returncode
    return Run(out.getvalue(), err.getvalue(), code)


def divergent(**changes: Any) -> ShadowRead:
    values: dict[str, Any] = {
        "outcome": Outcome.DIVERGENT,
        "cause": ShadowCause.MISSING_ROW,
        "sealed": sealed(QUERY, SECRET.encode(), b"\xff\x00"),
        "position": 0x1_2345_6789,
        "details": {"missing": 2, "columns": [{"name": "price", "count": 1}]},
    }
    (read,) = store(1, **(values | changes))
    return ShadowRead.objects.get(pk=read.pk)


@pytest.mark.parametrize(
    ("outcome", "code"), [("equal", 0), ("caught_up", 0), ("divergent", 4), ("inconclusive", 2), ("error", 2)]
)
def test_the_exit_code_says_how_the_replay_ended(outcome: str, code: int) -> None:
    assert run(divergent(), result=Comparison(outcome)).code == code
    assert run(divergent(), "--json", result=Comparison(outcome)).code == code


def test_people_see_what_was_stored_and_what_is_so_now() -> None:
    route()
    route("shop.Product", kind=TargetKind.MODEL)
    route("shop.Review", kind=TargetKind.MODEL)
    result = Comparison(Outcome.CAUGHT_UP, staleness_ms=40.2, details={"changed": 7})
    stored, again = run(divergent(), result=result).out.split("Compared again just now:")
    lines = {tuple(line.split("  ", 1)) for line in stored.splitlines()}
    found = {name.strip(): value.strip() for name, value in (line for line in lines if len(line) == 2) if name}
    assert found["rule"] == "endpoint shop:product-list, model shop.Product"
    assert found["endpoint"] == "shop:product-list"
    assert found["statement"] == STATEMENT
    assert found["outcome"] == "Divergent: the replica differs where the primary does not change"
    assert found["cause"] == "The replica lacks rows"
    assert found["position"] == "1/23456789"
    assert found["primary took"] == "2\u202fms"
    assert "missing" in stored
    assert "columns.0.name" in stored
    assert "Equal once the replica had caught up" in again
    assert "40\u202fms" in again
    assert "replica2" in again
    assert "changed" in again


def test_json_is_one_object_with_both_comparisons() -> None:
    route()
    read = divergent()
    content = run(read, "--json", result=Comparison(Outcome.DIVERGENT, ShadowCause.ORDER, rows=9)).content
    assert content["id"] == read.pk
    assert content["rules"] == [{"kind": "endpoint", "target": "shop:product-list"}]
    assert (content["stored"]["outcome"], content["stored"]["cause"]) == ("divergent", "missing_row")
    assert content["stored"]["details"] == read.details
    assert (content["replay"]["cause"], content["replay"]["rows"]) == ("order", 9)
    assert "revealed" not in content


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_what_users_sent_is_shown_only_when_it_is_to_be_revealed(form: list[str]) -> None:
    read = divergent()
    hidden = run(read, *form, result=Comparison())
    assert all(word not in hidden.out + hidden.err for word in (SECRET, "4711", "ff00"))
    assert hidden.err == ""
    shown = run(read, *form, "--reveal", result=Comparison())
    assert all(word in shown.out for word in (SECRET, "4711", "xff00"))
    assert "values as users sent them" in shown.err
    assert SECRET not in shown.err


def test_what_is_revealed_has_its_place_in_json() -> None:
    revealed = run(divergent(), "--json", "--reveal", result=Comparison()).content["revealed"]
    assert revealed == {"query": QUERY.decode(), "parameters": [SECRET, "\\xff00"], "session": {}}


def test_a_read_that_does_not_exist_is_refused_with_what_is_kept() -> None:
    ended = run(4_711)
    assert ended.code == 3
    assert "There is no shadow read 4711 in the database “default”" in ended.err
    assert 'READSHIFT["RETENTION_DAYS"] = 30 days' in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("form", [[], ["--json"], ["--reveal"]], ids=["text", "json", "reveal"])
def test_an_expired_statement_is_said_with_its_date_and_setting_after_what_was_found(form: list[str]) -> None:
    read = divergent(sealed=None, age=timedelta(days=9))
    assert read.compared_at is not None
    ended = run(read, *form)
    assert ended.code == 3
    assert f"it expired at {read.compared_at + timedelta(days=7):%Y-%m-%d %H:%M} UTC" in ended.err
    assert 'READSHIFT["SHADOW_VALUES_DAYS"] = 7' in ended.err
    assert STATEMENT in (ended.content["statement"] if form == ["--json"] else ended.out)


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": Outcome.EQUAL, "cause": "", "age": timedelta(days=9)},
        {"outcome": Outcome.CAUGHT_UP, "cause": "", "age": timedelta(days=9)},
        {"outcome": Outcome.ERROR, "cause": ShadowCause.ABANDONED},
    ],
    ids=["equal", "caught up", "given up"],
)
def test_a_statement_that_was_not_kept_is_said_not_to_have_been(changes: dict[str, Any]) -> None:
    ended = run(divergent(sealed=None, **changes))
    assert (ended.code, "as soon as the servers agree, or the comparison is given up" in ended.err) == (3, True)


def test_a_statement_sealed_with_another_key_cannot_be_revealed() -> None:
    read = divergent()
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        ended = run(read, "--reveal")
    assert ended.code == 3
    assert "SECRET_KEY_FALLBACKS" in ended.err
    assert SECRET not in ended.out


def test_a_read_that_is_still_waiting_is_compared_for_the_first_time() -> None:
    (waiting,) = store(1, state=ShadowState.WAITING, sealed=sealed(QUERY))
    ended = run(waiting, result=Comparison())
    assert ended.code == 0
    assert "Waiting for a worker" in ended.out
    assert run(waiting, "--json", result=Comparison()).content["stored"] is None


def test_its_own_queries_are_not_counted() -> None:
    read = divergent()
    meter.take()
    run(read, result=Comparison())
    assert [series for series in meter.take() if series.kind == TallyKind.READ] == []


def test_a_subcommand_has_to_be_named() -> None:
    with pytest.raises(CommandError, match="subcommand"):
        call_command(Command())


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_it_compares_with_the_servers_themselves(servers: Servers) -> None:
    servers.settle()
    (read,) = store(1, sealed=sealed(b"SELECT 1"), outcome=Outcome.DIVERGENT, cause=ShadowCause.ORDER)
    out = StringIO()
    try:
        call_command("readshift", "replay", str(read.pk), "--json", stdout=out)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    replayed = json.loads(out.getvalue())["replay"]
    assert (code, replayed["outcome"], replayed["rows"]) == (0, "equal", 1), replayed
