"""Whether replicas follow, and whether one of them could take the place of the primary."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.readiness.findings import Finding, Verdict, worst
from admin_ui.readiness.replication import (
    LITTLE_BYTES,
    judge_checksums,
    judge_idle_slots,
    judge_rejoining,
    judge_replica,
    judge_succession,
)
from routers.server_facts import Receiver, ServerFacts
from tests.admin_ui.readiness.samples import MEGABYTE, primary, replica


def judged(facts: ServerFacts, beside: ServerFacts | None, measured: float | None = None) -> dict[str, Finding]:
    found = judge_replica("replica1", facts, beside, measured=measured, greatest_lag=10.0)
    return {finding.id: finding for finding in found}


def with_slot(**changes: Any) -> ServerFacts:
    facts = primary()
    return replace(facts, slots=(replace(facts.slots[0], **changes), facts.slots[1]))


def test_a_replica_that_follows_is_well() -> None:
    found = judged(replica(), primary(), measured=0.1)
    assert worst(found.values()) is Verdict.PASS
    assert found["lag"].fact == "shows all"


@pytest.mark.parametrize(
    ("receiver", "verdict"),
    [
        (None, Verdict.FAIL),
        (Receiver("", "", ""), Verdict.UNKNOWN),
        (Receiver("waiting", "slot1", "db0:5432"), Verdict.ATTENTION),
        (Receiver("streaming", "slot1", "db0:5432"), Verdict.PASS),
    ],
)
def test_what_a_receiver_says(receiver: Receiver | None, verdict: Verdict) -> None:
    assert judged(replica(receiver=receiver), primary())["receives"].verdict is verdict


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({"status": "lost", "why_lost": "wal_removed"}, Verdict.FAIL, "is lost (wal_removed)"),
        ({"status": "unreserved", "retained": 3 * MEGABYTE}, Verdict.FAIL, "keeps 3 MB of log, more than it may"),
        ({"is_active": False, "retained": 3 * MEGABYTE}, Verdict.ATTENTION, "keeps 3 MB of log and is idle"),
        ({"name": "another"}, Verdict.ATTENTION, "is not on the primary"),
        ({"status": "extended"}, Verdict.PASS, "keeps 0 bytes of log"),
    ],
)
def test_what_a_slot_says(changes: dict[str, Any], verdict: Verdict, words: str) -> None:
    found = judged(replica(), with_slot(**changes))["slot"]
    assert (found.verdict, words in found.fact) == (verdict, True)


def test_without_a_slot_the_primary_may_keep_log_for_all() -> None:
    facts = replica(settings={"primary_slot_name": ""}, receiver=Receiver("streaming", "", "db0:5432"))
    assert judged(facts, primary())["slot"].verdict is Verdict.ATTENTION
    assert judged(facts, primary(wal_keep_size="64"))["slot"].verdict is Verdict.PASS
    assert judged(replica(), None)["slot"].verdict is Verdict.UNKNOWN


def test_replay_that_is_paused_is_no_lag() -> None:
    found = judged(replica(pause="paused"), primary())["lag"]
    assert (found.verdict, "pg_wal_replay_resume" in found.next_step) == (Verdict.FAIL, True)


@pytest.mark.parametrize(
    ("facts", "measured", "verdict", "fact"),
    [
        (replica(replayed=100 * MEGABYTE - 3), None, Verdict.PASS, "3 bytes behind"),
        (replica(replayed=100 * MEGABYTE - 3), 4.0, Verdict.PASS, "3 bytes behind, at most 4.0 s"),
        (replica(replayed=100 * MEGABYTE - 3), 11.0, Verdict.ATTENTION, "3 bytes behind, at most 11.0 s"),
        (replica(replayed=100 * MEGABYTE), 11.0, Verdict.PASS, "shows all"),
        (replica(replayed=80 * MEGABYTE), None, Verdict.ATTENTION, "20 MB behind"),
        (replica(replayed=None), None, Verdict.UNKNOWN, "how far it is behind its primary cannot be told"),
        (replica(timeline=2), None, Verdict.UNKNOWN, "how far it is behind its primary cannot be told"),
    ],
)
def test_lag(facts: ServerFacts, measured: float | None, verdict: Verdict, fact: str) -> None:
    beside = replace(primary(), slots=())
    found = judged(facts, beside, measured)["lag"]
    assert (found.verdict, found.fact) == (verdict, fact)


def test_the_lag_that_the_primary_reports_counts_as_well() -> None:
    facts = primary()
    late = replace(facts, senders=(replace(facts.senders[0], replay_lag=12.0), facts.senders[1]))
    behind = replica(replayed=100 * MEGABYTE - 3)
    assert judged(behind, late)["lag"].fact == "3 bytes behind, at most 12.0 s"
    assert judged(replica(2, replayed=100 * MEGABYTE - 3), late)["lag"].fact == "3 bytes behind, at most 0.0 s"


@given(st.integers(0, 200 * MEGABYTE), st.none() | st.floats(0, 100))
def test_a_replica_that_lacks_little_and_is_not_late_is_well_and_no_other(
    replayed: int, measured: float | None
) -> None:
    found = judged(replica(replayed=replayed), replace(primary(), slots=()), measured)["lag"]
    missing = max(0, 100 * MEGABYTE - replayed)
    is_late = missing > LITTLE_BYTES or (missing > 0 and (measured or 0.0) > 10.0)
    assert (found.verdict is Verdict.ATTENTION) == is_late


@given(st.integers(0, 300), st.integers(0, 300), st.integers(4, 300))
def test_clients_fit_or_do_not(there: int, here: int, most: int) -> None:
    facts = replica(settings={"max_connections": str(most)}, connections=here)
    found = judged(facts, replace(primary(), connections=there))["connections"]
    expected = Verdict.FAIL if there > most - 3 else Verdict.ATTENTION if there + here > most - 3 else Verdict.PASS
    assert found.verdict is expected


@pytest.mark.parametrize(
    ("settings", "replicas", "verdict"),
    [
        ({}, 2, Verdict.PASS),
        ({"max_wal_senders": "1"}, 2, Verdict.FAIL),
        ({"max_replication_slots": "0"}, 1, Verdict.FAIL),
    ],
)
def test_a_replica_must_be_able_to_feed_the_others(settings: dict[str, str], replicas: int, verdict: Verdict) -> None:
    assert judge_succession("replica1", replica(settings=settings), replicas).verdict is verdict


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({"data_checksums": "off", "wal_log_hints": "off"}, Verdict.ATTENTION),
        ({"data_checksums": "off", "wal_log_hints": "on"}, Verdict.PASS),
        ({"data_checksums": "on"}, Verdict.PASS),
    ],
)
def test_whether_an_old_primary_can_be_rewound(settings: dict[str, str], verdict: Verdict) -> None:
    assert judge_rejoining("default", primary(**settings)).verdict is verdict


def test_checksums_that_differ_are_told() -> None:
    assert judge_checksums("replica1", replica(), primary()).verdict is Verdict.PASS
    assert judge_checksums("replica1", replica(), primary(data_checksums="off")).verdict is Verdict.ATTENTION


def test_a_slot_that_nobody_uses_is_told_with_what_it_keeps() -> None:
    facts = with_slot(name="forgotten", is_active=False, retained=5 * MEGABYTE)
    found = judge_idle_slots("default", facts, {"slot1", "slot2"})
    assert (found.verdict, found.fact) == (Verdict.ATTENTION, "“forgotten” is idle and keeps 5 MB of log")
    assert judge_idle_slots("default", with_slot(is_active=False), {"slot1", "slot2"}).verdict is Verdict.PASS


def test_settings_that_cannot_be_seen_are_not_known() -> None:
    blind, there = replace(replica(), settings={}), primary()
    assert judge_succession("replica1", blind, 2).verdict is Verdict.UNKNOWN
    assert judge_rejoining("default", blind).verdict is Verdict.UNKNOWN
    assert judge_checksums("replica1", blind, there).verdict is Verdict.UNKNOWN
    assert judged(blind, there)["connections"].verdict is Verdict.UNKNOWN
