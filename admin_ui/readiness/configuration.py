"""Judges the settings of a primary and of its replicas that decide how replication and a failover go. Pure."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from admin_ui.drawing.figures import size
from admin_ui.readiness.findings import Finding, Verdict
from routers.server_facts import ServerFacts, Setting


class Judged(NamedTuple):
    """A verdict, and what to do or to know about it, or an empty text."""

    verdict: Verdict
    step: str = ""


WELL = Judged(Verdict.PASS)

_SLOWEST_STATUS_SECONDS = 10.0
_AS_LARGE_AS_ON_THE_PRIMARY = (
    "max_connections",
    "max_prepared_transactions",
    "max_worker_processes",
    "max_locks_per_transaction",
    "max_wal_senders",
)
"""A standby stops replaying, or does not start, where one of these is smaller than on its primary."""


def judge_primary_settings(alias: str, facts: ServerFacts, replicas: int) -> Iterator[Finding]:
    """Judge the settings of a primary that has so many replicas."""
    judges: dict[str, Callable[[Setting], Judged]] = {
        "wal_level": _wal_level,
        "max_wal_senders": lambda setting: _room(setting, len(facts.senders), replicas, "senders"),
        "max_replication_slots": lambda setting: _room(setting, len(facts.slots), replicas, "slots"),
        "max_slot_wal_keep_size": lambda setting: _kept(setting, facts),
        "synchronous_standby_names": lambda setting: _synchronous(setting, facts),
        "default_transaction_read_only": _read_only_primary,
        "hot_standby": _hot_standby,
        "max_connections": lambda _: WELL,
    }
    return _judged(alias, facts, judges)


def judge_replica_settings(
    alias: str, facts: ServerFacts, primary: ServerFacts | None, greatest_lag: float
) -> Iterator[Finding]:
    """Judge the settings of a replica. greatest_lag: beyond how many seconds it serves no reads."""
    judges: dict[str, Callable[[Setting], Judged]] = {
        "hot_standby_feedback": lambda setting: _feedback(setting, facts),
        "max_standby_streaming_delay": lambda setting: _delay(setting, facts, greatest_lag),
        "max_standby_archive_delay": lambda setting: _delay(setting, facts, greatest_lag),
        "recovery_min_apply_delay": lambda setting: _apply_delay(setting, greatest_lag),
        "wal_receiver_status_interval": lambda setting: _status_interval(setting, facts),
        "primary_slot_name": lambda setting: _slot_name(setting, primary),
        "default_transaction_read_only": _read_only_replica,
        "hot_standby": _hot_standby,
        "wal_level": _wal_level,
        **{
            name: lambda setting, name=name: _as_large(setting, primary, name)  # type: ignore[misc]
            for name in _AS_LARGE_AS_ON_THE_PRIMARY
        },
    }
    return _judged(alias, facts, judges)


def _judged(alias: str, facts: ServerFacts, judges: dict[str, Callable[[Setting], Judged]]) -> Iterator[Finding]:
    for name, judge in judges.items():
        setting = facts.settings.get(name)
        if setting is None:
            words = "This role may not see it, or the server has no such setting: grant the role pg_monitor."
            yield Finding(name, alias, name, Verdict.UNKNOWN, "unknown", words)
            continue
        verdict, step = judge(setting)
        restart = " (changed, and in force after a restart)" if setting.awaits_restart else ""
        yield Finding(name, alias, name, verdict, f"{setting}{restart}", step)


def _wal_level(setting: Setting) -> Judged:
    if setting.value == "minimal":
        return Judged(Verdict.FAIL, "No standby can follow this server. Set it to replica, and restart.")
    return WELL


def _room(setting: Setting, used: int, replicas: int, noun: str) -> Judged:
    if setting.number <= used or setting.number < replicas:
        return Judged(
            Verdict.ATTENTION,
            f"{used} {noun} are in use, and {replicas} replicas are named: there is no room for another one, such as "
            f"a backup or a server that comes back. Raise it, and restart.",
        )
    return WELL


def _kept(setting: Setting, facts: ServerFacts) -> Judged:
    if setting.number >= 0:
        return Judged(
            Verdict.PASS, f"A slot whose replica stays away for more than {size(setting.bytes)} of log is lost."
        )
    if not facts.slots:
        return WELL
    return Judged(
        Verdict.ATTENTION,
        "Without a limit, a replica that stays away fills the disk of the primary. Set a size that the disk can hold.",
    )


def _synchronous(setting: Setting, facts: ServerFacts) -> Judged:
    commit = facts.settings.get("synchronous_commit")
    if not setting.value or (commit is not None and commit.value in {"off", "local"}):
        return WELL
    if not facts.may_read_all:
        return Judged(
            Verdict.UNKNOWN, "Whether a synchronous standby is there is not known: grant the role pg_monitor."
        )
    if any(sender.sync_state in {"sync", "quorum"} and sender.state == "streaming" for sender in facts.senders):
        return Judged(
            Verdict.PASS, "Commits wait for a standby: one that stops, stops writes unless another one is named."
        )
    return Judged(
        Verdict.FAIL,
        "Commits wait for a synchronous standby, and none is there, so that writes hang. Bring one back, or empty it.",
    )


def _read_only_primary(setting: Setting) -> Judged:
    if setting.is_on:
        return Judged(
            Verdict.FAIL, f"Writes on this alias are refused. Its {setting.source or 'source'} says so: turn it off."
        )
    return WELL


def _read_only_replica(setting: Setting) -> Judged:
    if setting.is_on and setting.source != "client":
        return Judged(
            Verdict.ATTENTION,
            f"Once it is promoted, this server refuses writes until this is off. It comes from: {setting.source}.",
        )
    return WELL


def _hot_standby(setting: Setting) -> Judged:
    if setting.is_on:
        return WELL
    return Judged(Verdict.ATTENTION, "As a standby, this server would refuse all reads. Turn it on, and restart.")


def _feedback(setting: Setting, facts: ServerFacts) -> Judged:
    if setting.is_on:
        return Judged(Verdict.PASS, "Long reads here hold back vacuum on the primary, whose tables grow meanwhile.")
    cancelled = facts.conflicts.get("snapshot", 0)
    if cancelled:
        return Judged(
            Verdict.ATTENTION,
            f"{cancelled:,} queries were cancelled because vacuum on the primary removed rows that they could see. "
            f"Turn it on, or raise max_standby_streaming_delay.",
        )
    return Judged(Verdict.PASS, "No query has been cancelled so far because vacuum removed its rows.")


def _delay(setting: Setting, facts: ServerFacts, greatest_lag: float) -> Judged:
    if setting.number < 0:
        return Judged(Verdict.ATTENTION, "One long read can hold up replay without end. Set it to a limit.")
    beyond = setting.seconds > greatest_lag
    words = (
        f"One long read may hold up replay for longer than the replica may be behind (GREATEST_LAG_SECONDS is "
        f"{greatest_lag:g}): it then serves no reads until it has caught up."
        if beyond
        else "A read that replay has waited for so long is cancelled, and asked again elsewhere."
    )
    if not beyond and facts.conflict_count:
        return Judged(Verdict.PASS, f"{words} So far that were {facts.conflict_count:,} queries.")
    return Judged(Verdict.PASS, words)


def _apply_delay(setting: Setting, greatest_lag: float) -> Judged:
    if setting.seconds <= 0:
        return WELL
    if setting.seconds > greatest_lag:
        return Judged(
            Verdict.FAIL,
            f"It is always further behind than a replica may be (GREATEST_LAG_SECONDS is {greatest_lag:g}), so that it "
            f"is never fit to serve. Take it out of READSHIFT, or set this to 0.",
        )
    return Judged(
        Verdict.ATTENTION, "Every commit is shown that much later. Set it to 0 unless that is what this one is for."
    )


def _status_interval(setting: Setting, facts: ServerFacts) -> Judged:
    feedback = facts.settings.get("hot_standby_feedback")
    if setting.seconds == 0:
        lost = ", and hot_standby_feedback sends nothing" if feedback is not None and feedback.is_on else ""
        return Judged(
            Verdict.ATTENTION, f"The primary does not learn how far this server is{lost}. Set it to 10 s or less."
        )
    if setting.seconds > _SLOWEST_STATUS_SECONDS:
        return Judged(Verdict.ATTENTION, "The primary learns late how far this server is. Set it to 10 s or less.")
    return WELL


def _slot_name(setting: Setting, primary: ServerFacts | None) -> Judged:
    if setting.value:
        return WELL
    kept = primary.settings.get("wal_keep_size") if primary is not None else None
    if kept is not None and kept.bytes > 0:
        return Judged(Verdict.PASS, f"Without a slot, it can stay away for no more than {size(kept.bytes)} of log.")
    return Judged(
        Verdict.ATTENTION,
        "Without a slot, the primary may remove log that this server still needs, and it has to be built anew unless "
        "an archive has it. Create a slot on the primary and name it here, or set wal_keep_size there.",
    )


def _as_large(setting: Setting, primary: ServerFacts | None, name: str) -> Judged:
    there = primary.settings.get(name) if primary is not None else None
    if there is None:
        return Judged(Verdict.UNKNOWN, "What the primary has is not known.")
    if setting.number < there.number:
        return Judged(
            Verdict.FAIL,
            f"The primary has {there}. With less, replay stops at that change and the server does not start again. "
            f"Raise it to {there} at least, and restart.",
        )
    return WELL
