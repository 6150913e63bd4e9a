"""How all subcommands of `manage.py readshift` begin and end: --json, --help, exit codes, and no traceback."""

import json
import re
from argparse import ArgumentTypeError
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.utils import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.commands.frame import NOT_MIGRATED, UNREACHABLE, days, seconds, visible
from admin_ui.commands.rollback import FAILED
from admin_ui.management.commands.readshift import Command
from rollout.models import RoutingRule
from tests.support import route

NAMES = [one.name for one in Command.subcommands]
ARGUMENTS: dict[str, list[str]] = {
    "replay": ["7"],
    "drain": ["replica1"],
    "undrain": ["replica1"],
    "explain": ["--endpoint", "shop:product-list"],
    "baseline": ["list"],
    **{name: [] for name in ("status", "shadow", "plans", "doctor", "advise")},
}
TELL_OF_IT_THEMSELVES = {"rollback": FAILED, "drain": FAILED, "undrain": FAILED}
"""Subcommands that say what the primary did not do, and exit with this."""


def arguments(name: str) -> list[str]:
    return [name, *ARGUMENTS.get(name, ["endpoint:names"])]


def run(*given_arguments: str) -> tuple[str, str, int]:
    """Return what a subcommand wrote to either stream, and its exit code."""
    out, code = StringIO(), 0
    err = StringIO()
    try:
        call_command("readshift", *given_arguments, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    except CommandError as error:
        err.write(str(error))
        code = error.returncode
    return out.getvalue(), err.getvalue(), code


@pytest.fixture
def _renamed(transactional_db: None) -> Iterator[None]:
    """The database before migrate."""
    tables = [name for name in connection.introspection.table_names() if name.startswith("readshift_")]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'ALTER TABLE "{table}" RENAME TO "gone_{table}"')
        try:
            yield
        finally:
            for table in tables:
                cursor.execute(f'ALTER TABLE "gone_{table}" RENAME TO "{table}"')


@pytest.fixture
def _unreachable(db: None) -> Iterator[None]:
    """A database that lets nobody in."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused\n\tIs the server running?")

    with pytest.MonkeyPatch.context() as patch:
        for wrapper in connections.all():
            patch.setattr(wrapper, "cursor", refuse)
            patch.setattr(wrapper, "ensure_connection", refuse)
        yield


@pytest.mark.parametrize("name", NAMES)
def test_help_says_how_it_ends(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("readshift", name, "--help")
    text = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    assert re.search(r"Exits with 0", text)
    assert f"exits with {UNREACHABLE} if the primary" in text
    assert f"with {NOT_MIGRATED} if Readshift's tables do not exist" in text
    assert "--json" in text


@pytest.mark.usefixtures("_renamed")
@pytest.mark.parametrize("name", NAMES)
def test_missing_tables_are_said(name: str) -> None:
    out, err, code = run(*arguments(name))
    assert code == {"status": 2, "doctor": 2, **TELL_OF_IT_THEMSELVES}.get(name, NOT_MIGRATED)
    assert re.search("do(es)? not exist", out + err)


@pytest.mark.usefixtures("_unreachable")
@pytest.mark.parametrize("name", sorted({*NAMES} - {"doctor"}))
def test_a_primary_that_is_away_is_said_on_one_line(name: str) -> None:
    out, err, code = run(*arguments(name), "--json")
    assert (out, code) == ("", TELL_OF_IT_THEMSELVES.get(name, UNREACHABLE))
    assert "connection refused" in err
    assert name in TELL_OF_IT_THEMSELVES or "\n" not in err


@pytest.mark.usefixtures("_unreachable")
def test_the_doctor_finds_a_primary_that_is_away() -> None:
    out, err, code = run("doctor", "--json")
    assert (err, code, json.loads(out)["verdict"]) == ("", 2, "fail")
    assert "connection refused" in out


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["plan", "pause", "resume", "advance", "rollback", "backtest", "shadow"])
def test_an_unknown_rule_is_3(name: str) -> None:
    out, err, code = run(name, "nomes", "--json")
    assert (out, code) == ("", 3)
    assert "nomes" in err


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["plans", "shadow", "status"])
def test_json_is_one_line(name: str) -> None:
    route("names")
    out, _, _ = run(name, "--json")
    assert out.count("\n") == 1
    assert json.loads(out)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [["shadow", "--days", "1e300"], ["backtest", "names", "--days", "nan"], ["rollback", "--all", "--wait", "inf"]],
)
def test_a_number_that_means_nothing_is_refused(wrong: list[str]) -> None:
    _, err, code = run(*wrong)
    assert code
    assert "is no number of" in err


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon", ""])
def test_no_number(text: str) -> None:
    for read in (days, seconds):
        with pytest.raises(ArgumentTypeError, match="is no number of"):
            read(text)
    assert (days("0.5"), seconds("1e6")) == (0.5, 1e6)


@pytest.mark.django_db
def test_names_that_steer_a_terminal_are_written_out() -> None:
    route("names")
    RoutingRule.objects.update(target="\x1b[2Jnames\u202e")
    for form in ([], ["--json"]):
        out, _, _ = run("status", *form)
        assert "\\u001b[2Jnames\\u202e" in out
        assert "\x1b" not in out


@given(st.text())
def test_what_is_visible_has_no_controls_and_reads_back(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", visible(text))
    assert json.loads(visible(json.dumps(text, ensure_ascii=False))) == text
