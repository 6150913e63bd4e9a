"""`python -m benchmarks`, with the smallest run of a real benchmark."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form

SHORT, FULL = Form("--rollouts 1", 120.0, "Short."), Form("--rollouts 1 --seed 2", 120.0, "Full.")


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of a project that has one benchmark."""
    monkeypatch.setattr(command, "names", lambda: ["guardrails"])
    monkeypatch.setattr(command, "FILE", tmp_path / "page.md")
    monkeypatch.setattr(command, "DATA", tmp_path / "page.json")
    return tmp_path / "page.md"


def run(monkeypatch: pytest.MonkeyPatch, most: float, *arguments: str, short: Form = SHORT) -> int:
    """Run the command with these arguments. most: how many rollouts may be simulated."""

    def entry(_: str) -> Entry:
        return Entry(short, FULL, lambda figures: [Bound("rollouts.good", figures["rollouts"]["good"], most=most)])

    monkeypatch.setattr(command, "entry", entry)
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    return command.main()


def test_a_run_writes_the_page_and_the_record(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, 1, "--json") == 0
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert record == json.loads(page.with_suffix(".json").read_text())
    assert (record["form"], record["runs"][0]["figures"]["rollouts"]["good"]) == ("short", 1)
    assert "| [guardrails](#guardrails) | `rollouts.good` | 1 | at most 1 | yes |  |" in page.read_text()
    page.unlink()
    assert run(monkeypatch, 0, "--page") == 1
    assert "**no**" in page.read_text()


def test_the_full_form_is_run_when_asked_for_and_a_part_writes_nothing(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, 0, "--long", "--only", "guardrails", "--json") == 1
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (record["form"], record["runs"][0]["arguments"]) == ("full", FULL.arguments)
    assert not page.exists()


def test_a_benchmark_that_measures_nothing_is_on_the_page(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, 1, short=Form("--rollouts 0", 120.0)) == 1
    assert "measured nothing: exit status 2" in page.read_text()


def test_without_a_record_no_page_is_made(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, 1, "--page") == 2
    assert not page.exists()
