"""What is said of each setting."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.readiness.findings import Finding, Verdict, worst
from admin_ui.readiness.primary_configuration import judge_primary_settings
from admin_ui.readiness.replica_configuration import judge_replica_settings
from routers.server_facts import ServerFacts, Setting
from tests.admin_ui.readiness.samples import primary, replica


def of_replica(name: str, facts: ServerFacts, beside: ServerFacts | None = None) -> Finding:
    found = {finding.id: finding for finding in judge_replica_settings("replica1", facts, beside or primary(), 10.0)}
    return found[name]


def of_primary(name: str, facts: ServerFacts) -> Finding:
    return {finding.id: finding for finding in judge_primary_settings("default", facts, 2)}[name]


def test_the_usual_settings_are_well() -> None:
    assert worst(judge_primary_settings("default", primary(), 2)) is Verdict.PASS
    assert worst(judge_replica_settings("replica1", replica(), primary(), 10.0)) is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "value", "verdict", "words"),
    [
        ("wal_level", "minimal", Verdict.FAIL, "No standby can follow"),
        ("wal_level", "logical", Verdict.PASS, ""),
        ("max_wal_senders", "2", Verdict.ATTENTION, "2 senders are in use"),
        ("max_replication_slots", "2", Verdict.ATTENTION, "2 slots are in use"),
        ("max_slot_wal_keep_size", "-1", Verdict.ATTENTION, "fills the disk"),
        ("max_slot_wal_keep_size", "512", Verdict.PASS, "more than 512 MB"),
        ("synchronous_standby_names", "ANY 1 (one)", Verdict.FAIL, "writes hang"),
        ("default_transaction_read_only", "on", Verdict.FAIL, "configuration file says so"),
        ("hot_standby", "off", Verdict.ATTENTION, "refuse all reads"),
    ],
)
def test_settings_of_a_primary(name: str, value: str, verdict: Verdict, words: str) -> None:
    found = of_primary(name, primary(**{name: value}))
    assert (found.verdict, words in found.next_step) == (verdict, True)


@pytest.mark.parametrize(
    ("name", "value", "verdict", "words"),
    [
        ("hot_standby_feedback", "on", Verdict.PASS, "hold back vacuum"),
        ("max_standby_streaming_delay", "-1", Verdict.ATTENTION, "without end"),
        ("max_standby_archive_delay", "-1", Verdict.ATTENTION, "without end"),
        ("max_standby_streaming_delay", "30000", Verdict.PASS, "GREATEST_LAG_SECONDS is 10"),
        ("recovery_min_apply_delay", "11000", Verdict.FAIL, "never fit"),
        ("recovery_min_apply_delay", "2000", Verdict.ATTENTION, "that much later"),
        ("wal_receiver_status_interval", "0", Verdict.ATTENTION, "does not learn"),
        ("wal_receiver_status_interval", "60", Verdict.ATTENTION, "learns late"),
        ("primary_slot_name", "", Verdict.ATTENTION, "Create a slot"),
        ("default_transaction_read_only", "on", Verdict.ATTENTION, "refuses writes"),
        ("hot_standby", "off", Verdict.ATTENTION, "refuse all reads"),
        ("max_connections", "99", Verdict.FAIL, "The primary has 100."),
        ("max_connections", "101", Verdict.PASS, ""),
        ("max_prepared_transactions", "0", Verdict.PASS, ""),
        ("max_worker_processes", "7", Verdict.FAIL, "The primary has 8."),
        ("max_locks_per_transaction", "63", Verdict.FAIL, "The primary has 64."),
        ("max_wal_senders", "9", Verdict.FAIL, "The primary has 10."),
    ],
)
def test_settings_of_a_replica(name: str, value: str, verdict: Verdict, words: str) -> None:
    found = of_replica(name, replica(settings={name: value}))
    assert (found.verdict, words in found.next_step) == (verdict, True)


def test_feedback_is_asked_for_where_vacuum_has_cancelled_queries() -> None:
    found = of_replica("hot_standby_feedback", replica(conflicts={"snapshot": 1200, "lock": 0}))
    assert (found.verdict, found.next_step.startswith("1,200 queries were cancelled")) == (Verdict.ATTENTION, True)
    assert of_replica("hot_standby_feedback", replica(conflicts={"snapshot": 0, "lock": 3})).verdict is Verdict.PASS


def test_feedback_that_is_never_sent_is_told() -> None:
    facts = replica(settings={"hot_standby_feedback": "on", "wal_receiver_status_interval": "0"})
    assert "hot_standby_feedback sends nothing" in of_replica("wal_receiver_status_interval", facts).next_step


def test_without_a_slot_wal_keep_size_will_do() -> None:
    found = of_replica("primary_slot_name", replica(settings={"primary_slot_name": ""}), primary(wal_keep_size="64"))
    assert (found.verdict, "64 MB" in found.next_step) == (Verdict.PASS, True)


def test_a_slot_without_a_limit_matters_only_where_there_is_one() -> None:
    facts = replace(primary(max_slot_wal_keep_size="-1"), slots=())
    assert of_primary("max_slot_wal_keep_size", facts).verdict is Verdict.PASS


@pytest.mark.parametrize("commit", ["off", "local"])
def test_commits_that_wait_for_nobody_do_not_hang(commit: str) -> None:
    facts = primary(synchronous_standby_names="one", synchronous_commit=commit)
    assert of_primary("synchronous_standby_names", facts).verdict is Verdict.PASS


def test_a_synchronous_standby_that_is_there_is_well_and_one_that_cannot_be_seen_is_not_known() -> None:
    facts = primary(synchronous_standby_names="one")
    there = replace(facts, senders=(replace(facts.senders[0], sync_state="quorum"),))
    assert of_primary("synchronous_standby_names", there).verdict is Verdict.PASS
    hidden = replace(facts, may_read_all=False)
    assert of_primary("synchronous_standby_names", hidden).verdict is Verdict.UNKNOWN


def test_a_session_that_is_read_only_says_nothing_of_the_server() -> None:
    facts = replica()
    settings = {**facts.settings, "default_transaction_read_only": Setting("on", source="client")}
    assert of_replica("default_transaction_read_only", replace(facts, settings=settings)).verdict is Verdict.PASS


def test_what_the_role_may_not_see_is_not_known() -> None:
    found = of_replica("hot_standby_feedback", replace(replica(), settings={}))
    assert (found.verdict, "pg_monitor" in found.next_step) == (Verdict.UNKNOWN, True)


def test_without_its_primary_nothing_is_said_of_what_must_be_as_large() -> None:
    found = {each.id: each for each in judge_replica_settings("replica1", replica(), None, 10.0)}
    assert found["max_connections"].verdict is Verdict.UNKNOWN


def test_a_change_that_awaits_a_restart_is_told() -> None:
    facts = replica()
    settings = {**facts.settings, "max_connections": Setting("100", awaits_restart=True)}
    assert "in force after a restart" in of_replica("max_connections", replace(facts, settings=settings)).fact


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_standby_must_have_as_much_as_its_primary(here: int, there: int) -> None:
    facts = replica(settings={"max_connections": str(here)})
    found = of_replica("max_connections", facts, primary(max_connections=str(there)))
    assert (found.verdict is Verdict.FAIL) == (here < there)
