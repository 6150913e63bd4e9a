"""How a server's answer is read, whatever its version leaves out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.server_facts import Receiver, ServerFacts, Setting, Silence, behind, read_facts

STANDBY = {
    "version": 140012,
    "version_name": "14.12",
    "is_standby": True,
    "system": "7512101436281430754",
    "timeline": 3,
    "may_read_all": False,
    "role": "shop",
    "inserted": None,
    "flushed": None,
    "received": 2048,
    "replayed": 1024,
    "replayed_ago": 1.5,
    "pause": "not paused",
    "receiver": {"pid": 4, "status": None, "slot_name": None, "sender_host": None, "sender_port": None},
    "senders": None,
    "slots": None,
    "conflicts": {"datid": 1, "datname": "shop", "confl_lock": 2, "confl_snapshot": None},
    "connections": 4,
    "subscriptions": 0,
    "settings": [
        {
            "name": "max_standby_streaming_delay",
            "setting": "30000",
            "unit": "ms",
            "source": "default",
            "pending_restart": False,
        }
    ],
    "recorded_collation": None,
    "actual_collation": None,
}
PRIMARY = ServerFacts(140012, "14.12", False, 7512101436281430754, 3, True, inserted=4096)


def test_what_a_role_may_not_see_is_empty_and_the_rest_is_there() -> None:
    facts = read_facts(STANDBY)
    assert (facts.major, facts.system, facts.timeline, facts.replayed) == (14, 7512101436281430754, 3, 1024)
    assert facts.receiver == Receiver("", "", "")
    assert (facts.senders, facts.slots) == ((), ())
    assert (dict(facts.conflicts), facts.conflict_count) == ({"lock": 2, "snapshot": 0}, 2)
    assert facts.settings["max_standby_streaming_delay"].seconds == 30


def test_senders_and_slots_of_an_older_version_have_no_newer_columns() -> None:
    sender = {
        "pid": 5,
        "application_name": "walreceiver",
        "state": "streaming",
        "sync_state": "async",
        "write_lag": 0.5,
        "flush_lag": None,
        "replay_lag": 1,
        "behind": 3072.0,
    }
    slot = {
        "slot_name": "one",
        "slot_type": "physical",
        "active": True,
        "active_pid": 5,
        "wal_status": None,
        "retained": None,
        "safe_wal_size": None,
    }
    facts = read_facts({**STANDBY, "senders": [sender], "slots": [slot]})
    assert (facts.senders[0].behind, facts.senders[0].write_lag) == (3072, 0.5)
    assert (facts.slots[0].status, facts.slots[0].why_lost, facts.slots[0].retained) == ("", "", None)


def test_how_far_a_replica_is_behind_is_known_within_one_history_only() -> None:
    facts = read_facts(STANDBY)
    assert behind(PRIMARY, facts) == 3072
    assert behind(Silence("hangs"), facts) is None
    assert behind(None, facts) is None
    assert behind(PRIMARY, read_facts({**STANDBY, "timeline": 4})) is None
    assert behind(PRIMARY, read_facts({**STANDBY, "replayed": None})) is None


@given(st.integers(0, 10**6))
def test_a_replica_is_never_ahead(replayed: int) -> None:
    missing = behind(PRIMARY, read_facts({**STANDBY, "replayed": replayed}))
    assert missing == max(0, 4096 - replayed)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (Setting("30000", "ms"), "30 s"),
        (Setting("1500", "ms"), "1500 ms"),
        (Setting("512", "MB"), "512 MB"),
        (Setting("-1", "MB"), "-1"),
        (Setting("0", "ms"), "0"),
        (Setting("on"), "on"),
        (Setting(""), "empty"),
    ],
)
def test_how_a_setting_is_written(setting: Setting, words: str) -> None:
    assert str(setting) == words


def test_sizes_and_times_follow_their_units() -> None:
    assert Setting("2", "MB").bytes == 2 * 1024**2
    assert Setting("2", "min").seconds == 120
    assert Setting("-1", "ms").seconds < 0
