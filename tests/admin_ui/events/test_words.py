"""What is said of an event."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.events.words import LONGEST_VALUE, Change, EventWords, changes_of, value_words
from rollout.models import EventKind
from rollout.policy import KILL_SWITCH
from tests.admin_ui.events.support import event

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_field_is_told_before_and_after() -> None:
    words = EventWords.of(event(before={"percent": "5.0"}, after={"percent": "10.0"}))
    assert (words.what, words.changes) == ("was changed", (Change("percent", "5\u202f%", "10\u202f%"),))


def test_the_fields_that_tell_the_most_come_first() -> None:
    fields = {"note": "x", "gate_name": "products", "mode": "route", "contract": "any"}
    assert [each.field for each in changes_of(event(before=fields, after=fields))] == [
        "mode",
        "gate name",
        "contract",
        "note",
    ]


@pytest.mark.parametrize(("kind", "side"), [(EventKind.CREATED, "after"), (EventKind.DELETED, "before")])
def test_of_what_was_created_or_deleted_only_fields_that_held_something_are_told(kind: str, side: str) -> None:
    found = changes_of(event(**{"kind": kind, "before": {}, "after": {}, side: {"mode": "pin", "note": "", "x": None}}))
    assert [(each.field, getattr(each, side)) for each in found] == [("mode", "pin")]


def test_a_line_tells_some_fields_and_counts_the_others() -> None:
    words = EventWords.of(event(before={"mode": "observe"}, after={"mode": "route", "active": True}))
    assert words.line == "mode: observe → route; active: yes"
    words = EventWords.of(event(before={}, after=dict.fromkeys("abcdef", "x")))
    assert words.line == "a: x; b: x; c: x; d: x; 2 more fields"
    words = EventWords.of(event(before={"note": ""}, after={"note": "x" * 900}))
    assert words.line == f"note: empty → {'x' * LONGEST_VALUE}…"


def test_a_field_that_was_emptied_is_told() -> None:
    (change,) = changes_of(event(before={"note": "old"}, after={"note": ""}))
    assert (change.before, change.after) == ("old", "empty")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "not set"),
        (True, "yes"),
        (False, "no"),
        (["3", "4"], "3, 4"),
        ([], "none"),
        ({"users": ["3"]}, '{"users": ["3"]}'),
        (7, "7"),
    ],
)
def test_values_in_words(value: Any, words: str) -> None:
    assert value_words("field", value) == words


def test_a_percentage_that_is_none_is_told_as_it_is() -> None:
    assert value_words("percent", "a lot") == "a lot"


@pytest.mark.parametrize(("is_on", "words"), [(False, "every read goes to the primary"), (True, "decide again")])
def test_the_kill_switch_has_words_of_its_own(is_on: bool, words: str) -> None:
    found = EventWords.of(
        event(subject_kind="switch", subject=KILL_SWITCH, before={"active": not is_on}, after={"active": is_on})
    )
    assert words in found.what
    assert found.is_taking_back is not is_on


def test_a_rule_that_routes_no_more_has_taken_reads_back() -> None:
    assert EventWords.of(event(before={"mode": "route"}, after={"mode": "observe"})).is_taking_back
    assert not EventWords.of(event()).is_taking_back


def test_times_are_local_and_exact() -> None:
    at = datetime(2026, 11, 25, 2, 15, 30, 123456, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        words = EventWords.of(event(at=at))
    assert (words.local, words.exact) == ("2026-11-25 03:15:30 CET", "2026-11-25 02:15:30.123456 UTC")


def test_verdicts_and_other_measures_are_flattened() -> None:
    verdict = {"finding": "fail", "reason": "3 % of 900 units failed", "trial": True}
    found = EventWords.of(event(measures={"error_rate": verdict, "lag": {"replica1": [2.5, None]}}))
    assert found.measures == (
        ("error_rate", "fail: 3 % of 900 units failed (in trial)"),
        ("lag.replica1.0", "2.5"),
        ("lag.replica1.1", "not set"),
    )


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=4), st.dictionaries(st.text(), JSON_VALUES, max_size=4))
def test_whatever_a_host_records_can_be_said(before: dict[str, Any], after: dict[str, Any]) -> None:
    words = EventWords.of(event(before=before, after=after, measures=before, kind="changed", door="unheard of"))
    assert len(words.changes) == len(before.keys() | after.keys())
    assert json.dumps(words.line)
