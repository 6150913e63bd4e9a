"""Servers as they should be, for tests that change one thing about them."""

from dataclasses import replace
from typing import Any

from rollout.options import Cluster, Replica
from routers.server_facts import Receiver, Sender, ServerFacts, Setting, Slot

MEGABYTE = 1024**2

CLUSTER = Cluster("default", (Replica("replica1"), Replica("replica2")))

_UNITS = {
    "max_standby_streaming_delay": "ms",
    "max_standby_archive_delay": "ms",
    "recovery_min_apply_delay": "ms",
    "wal_receiver_status_interval": "s",
    "max_slot_wal_keep_size": "MB",
    "wal_keep_size": "MB",
}
_VALUES = {
    "data_checksums": "on",
    "default_transaction_read_only": "off",
    "hot_standby": "on",
    "hot_standby_feedback": "off",
    "max_connections": "100",
    "max_locks_per_transaction": "64",
    "max_prepared_transactions": "0",
    "max_replication_slots": "10",
    "max_slot_wal_keep_size": "512",
    "max_standby_archive_delay": "5000",
    "max_standby_streaming_delay": "5000",
    "max_wal_senders": "10",
    "max_worker_processes": "8",
    "primary_slot_name": "",
    "recovery_min_apply_delay": "0",
    "superuser_reserved_connections": "3",
    "synchronous_commit": "on",
    "synchronous_standby_names": "",
    "wal_keep_size": "0",
    "wal_level": "replica",
    "wal_log_hints": "off",
    "wal_receiver_status_interval": "10",
}

PRIMARY = ServerFacts(
    version=180001,
    version_name="18.1",
    is_standby=False,
    system=7,
    timeline=1,
    may_read_all=True,
    role="shop",
    inserted=100 * MEGABYTE,
    flushed=100 * MEGABYTE,
    senders=tuple(
        Sender(pid, name, "streaming", "async", 0.001, 0.001, 0.002, 0) for pid, name in ((11, "one"), (12, "two"))
    ),
    slots=tuple(
        Slot(name, "physical", is_active=True, pid=pid, status="reserved", retained=0, safe=MEGABYTE, why_lost="")
        for pid, name in ((11, "slot1"), (12, "slot2"))
    ),
    connections=10,
)


def with_settings(facts: ServerFacts, **values: str) -> ServerFacts:
    """Return a server whose settings are the usual ones but for these."""
    settings = {
        name: Setting(value, _UNITS.get(name, ""), "configuration file")
        for name, value in {**_VALUES, **values}.items()
    }
    return replace(facts, settings=settings)


def primary(**settings: str) -> ServerFacts:
    return with_settings(PRIMARY, **settings)


def replica(number: int = 1, settings: dict[str, str] | None = None, **changes: Any) -> ServerFacts:
    """Return one of two standbys that show everything."""
    facts = ServerFacts(
        version=180001,
        version_name="18.1",
        is_standby=True,
        system=7,
        timeline=1,
        may_read_all=True,
        role="shop",
        received=100 * MEGABYTE,
        replayed=100 * MEGABYTE,
        pause="not paused",
        receiver=Receiver("streaming", f"slot{number}", "db0:5432"),
        connections=5,
    )
    return with_settings(replace(facts, **changes), **{"primary_slot_name": f"slot{number}", **(settings or {})})
