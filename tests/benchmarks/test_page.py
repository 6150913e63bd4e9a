"""The page of the benchmarks: that it is of the present form, and how it tells what was found."""

import json
import re
import shlex
from dataclasses import replace
from importlib import import_module

import pytest

from benchmarks.bounds import Bound
from benchmarks.entries import Entry, Form, entry, names
from benchmarks.page import DATA, FILE, page, table
from benchmarks.record import Record, Run, is_good

ENTRIES = {name: entry(name) for name in names()}
RUN = Run("pages", "--times 5", 30.0, 0.95, {"figure": 1})
RECORD = Record("short", "2026-01-02 03:04 UTC", "abc", True, {"cores": "2"}, {"Django": "5.2"}, (RUN,))


def recorded() -> Record:
    return Record.of_json(json.loads(DATA.read_text()))


def of(*bounds: Bound) -> dict[str, Entry]:
    return {"pages": Entry(Form("", 1, "Short."), Form("", 1, "Full."), lambda _: bounds)}


def test_the_page_is_what_the_code_makes_of_the_record() -> None:
    assert FILE.read_text() == page(recorded(), ENTRIES), "Run python -m benchmarks --page and commit docs."


def test_every_benchmark_is_on_it() -> None:
    assert [run.name for run in recorded().runs] == names(), "Run make bench and commit docs."


def test_every_command_on_it_is_one_that_its_parser_takes() -> None:
    commands = re.findall(r"^python -m benchmarks\.(\w+) (.*)$", FILE.read_text(), re.MULTILINE)
    assert [name for name, _ in commands] == names()
    for name, arguments in commands:
        assert import_module(f"benchmarks.{name}.__main__").parser().parse_args(shlex.split(arguments)).json


def test_a_record_comes_back_from_json() -> None:
    assert Record.of_json(json.loads(json.dumps(RECORD.as_json()))) == RECORD


def test_a_row_tells_the_figure_its_bound_and_what_peers_did() -> None:
    entries = of(
        Bound("kept", 1, most=2, peers={"peer": 7, "other": None}),
        Bound("missed", 1_234.5678, most=0),
        Bound("short", 0.5, least=0.99, unjudged="3 of | 1,000"),
    )
    assert table([RUN], entries)[2:] == [
        "| [pages](#pages) | `kept` | 1 | at most 2 | yes | peer 7, other null |",
        "|  | `missed` | 1,234.5678 | at most 0 | **no** |  |",
        "|  | `short` | 0.5 | at least 0.99 | not judged: 3 of \\| 1,000 |  |",
    ]
    assert "Of 3 bounds: 1 held, 1 missed, 1 not judged.\n" in page(RECORD, entries)
    assert not is_good([RUN], entries)


def test_what_is_not_judged_is_not_held_against_anybody() -> None:
    assert is_good([RUN], of(Bound("kept", 1, most=2), Bound("short", 3, most=2, unjudged="short")))


def test_one_that_measured_nothing_has_a_row_with_its_last_words() -> None:
    silent = replace(RUN, figures=None, last_words="exit status 2: no\nserver")
    entries = of(Bound("kept", 1, most=2))
    assert table([silent], entries)[2:] == [
        "| [pages](#pages) | measured nothing: exit status 2: no server |  |  | no |  |"
    ]
    assert "1 of 1 benchmarks measured nothing." in page(replace(RECORD, runs=(silent,)), entries)
    assert not is_good([silent], entries)


@pytest.mark.parametrize(("form", "note"), [("short", "Short."), ("full", "Full.")])
def test_the_note_of_the_form_that_was_run_is_told(form: str, note: str) -> None:
    text = page(replace(RECORD, form=form), of())
    assert f"This is the {form} form, run on 2026-01-02 03:04 UTC in 0.5 minutes." in text
    assert f"It took 30 s; just before, 95% of the processors' time was idle. {note}\n" in text
    assert "python -m benchmarks.pages --times 5 --json" in text


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.95, 0.99), "| others | did not use the machine: just before a benchmark, 95% to 99% of the"),
        ((0.4, 0.99), "| others | used the machine: just before a benchmark, 40% to 99% of the"),
        ((None,), "| others | not known |"),
    ],
)
def test_whether_others_used_the_machine_is_told(shares: tuple[float | None, ...], words: str) -> None:
    runs = tuple(replace(RUN, idle_before=share) for share in shares)
    text = page(replace(RECORD, runs=runs), of())
    assert words in text
    assert ("Others used the machine meanwhile" in text) is (0.4 in shares)


@pytest.mark.parametrize(
    ("commit", "is_clean", "words"),
    [
        ("abc", True, "| commit | abc |"),
        ("abc", False, "| commit | abc, with changes that were not committed |"),
        ("", False, "| commit | not a checkout |"),
    ],
)
def test_the_commit_is_told(commit: str, is_clean: bool, words: str) -> None:
    assert words in page(replace(RECORD, commit=commit, is_clean=is_clean), of())
