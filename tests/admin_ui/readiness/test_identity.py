"""Whether servers answer and belong together."""

from dataclasses import replace
from typing import Any

import pytest

from admin_ui.readiness.findings import Finding, Verdict, worst
from admin_ui.readiness.identity import Said, judge_identity
from routers.server_facts import Silence
from tests.admin_ui.readiness.samples import primary, replica


def judged(said: Said, beside: Said, *, is_primary: bool = False) -> dict[str, Finding]:
    return {finding.id: finding for finding in judge_identity("one", said, beside, is_primary=is_primary)}


def test_servers_as_they_should_be_are_well() -> None:
    assert worst(judged(primary(), primary(), is_primary=True).values()) is Verdict.PASS
    assert worst(judged(replica(), primary()).values()) is Verdict.PASS


@pytest.mark.parametrize("said", [Silence("did not answer within 2 s"), None])
@pytest.mark.parametrize("is_primary", [True, False])
def test_of_one_that_says_nothing_only_that_is_said(said: Said, is_primary: bool) -> None:
    found = judged(said, primary(), is_primary=is_primary)
    assert found.keys() == {"answers"}
    assert found["answers"].verdict is Verdict.FAIL
    assert ("promote a replica" in found["answers"].next_step) == is_primary


@pytest.mark.parametrize(
    ("check", "changes", "verdict", "words"),
    [
        ("rights", {"may_read_all": False}, Verdict.ATTENTION, "GRANT pg_monitor TO shop;"),
        ("role", {"is_standby": False}, Verdict.FAIL, "It was promoted"),
        ("history", {"system": 8}, Verdict.FAIL, "no copy of it"),
        ("history", {"timeline": 2}, Verdict.FAIL, "on timeline 1"),
        ("version", {"version": 170005}, Verdict.FAIL, "the same major version"),
        ("version", {"version": 180000}, Verdict.ATTENTION, "the same minor version"),
        ("collation", {"recorded_collation": "2.36", "actual_collation": "2.41"}, Verdict.FAIL, "REINDEX"),
        ("collation", {"recorded_collation": "", "actual_collation": "2.41"}, Verdict.FAIL, "the same C library"),
    ],
)
def test_each_difference_is_found(check: str, changes: dict[str, Any], verdict: Verdict, words: str) -> None:
    found = judged(replica(**changes), primary())[check]
    assert (found.verdict, words in found.next_step) == (verdict, True)
    assert {other.verdict for id_, other in judged(replica(**changes), primary()).items() if id_ != check} == {
        Verdict.PASS
    }


def test_a_primary_that_was_demoted_is_found() -> None:
    found = judged(replace(primary(), is_standby=True), primary(), is_primary=True)["role"]
    assert (found.verdict, "was promoted" in found.next_step) == (Verdict.FAIL, True)


def test_one_collation_everywhere_is_well() -> None:
    here = replica(recorded_collation="2.41", actual_collation="2.41")
    there = replace(primary(), recorded_collation="2.41", actual_collation="2.41")
    assert judged(here, there)["collation"].verdict is Verdict.PASS


def test_beside_a_primary_that_says_nothing_its_history_is_not_known() -> None:
    found = judged(replica(), Silence("hangs"))
    assert found["history"].verdict is Verdict.UNKNOWN
    assert found["version"].verdict is Verdict.PASS


def test_a_logical_subscriber_is_another_cluster_on_purpose() -> None:
    found = judged(replica(is_standby=False, subscriptions=1, system=8, version=160000), primary())
    assert found.keys() == {"answers", "rights", "role"}
    assert (found["role"].verdict, found["role"].fact) == (Verdict.ATTENTION, "is a logical subscriber")
