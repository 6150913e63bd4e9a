"""Every benchmark says how it is run and what it is held to."""

from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import entries
from benchmarks.entries import EntryError, command, entry, names, shows
from benchmarks.systems import SYSTEMS

each = pytest.mark.parametrize("name", names())


def test_every_package_that_can_be_run_is_found() -> None:
    assert {"consistency", "guardrails", "pages"} <= set(names())
    assert names() == sorted(names())


@each
@pytest.mark.parametrize("form", ["short", "full"])
def test_each_form_is_a_command_line_that_its_parser_takes(name: str, form: str) -> None:
    parser = import_module(f"benchmarks.{name}.__main__").parser()
    arguments = getattr(entry(name), form).words
    assert parser.parse_args([*arguments, "--json"]).json
    assert parser.prog == f"python -m benchmarks.{name}"


@each
def test_each_says_in_a_line_what_it_shows(name: str) -> None:
    assert shows(name).endswith(".")


@each
def test_a_form_is_ended_before_a_run_of_all_takes_for_ever(name: str) -> None:
    found = entry(name)
    assert 0 < found.short.limit_seconds <= 600
    assert found.short.limit_seconds <= found.full.limit_seconds


def test_peers_are_measured_where_a_benchmark_can() -> None:
    for name in ("consistency", "failover"):
        parser = import_module(f"benchmarks.{name}.__main__").parser()
        assert tuple(parser.parse_args(entry(name).short.words).only or SYSTEMS) == SYSTEMS


def test_a_command_is_what_one_types() -> None:
    assert command("pages", "--times 5") == "python -m benchmarks.pages --times 5 --json"
    assert command("pages", "") == "python -m benchmarks.pages --json"


def test_a_package_without_an_entry_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "__main__.py").touch()
    monkeypatch.setattr(entries, "FOLDER", tmp_path)
    assert names() == ["new"]
    with pytest.raises(EntryError, match=r"benchmarks\.new\.entry has no ENTRY"):
        entry("new")


def test_an_entry_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.pages.entry.ENTRY", "--times 5")
    with pytest.raises(EntryError, match=r"benchmarks\.pages\.entry\.ENTRY is '--times 5'"):
        entry("pages")
