"""Judges the settings of a primary that decide how replication goes. Pure."""

from collections.abc import Iterator

from admin_ui.drawing.figures import size
from admin_ui.readiness.configuration import WELL, Judge, Judged, hot_standby, judged, wal_level
from admin_ui.readiness.findings import Finding, Verdict
from routers.server_facts import ServerFacts, Setting


def judge_primary_settings(alias: str, facts: ServerFacts, replicas: int) -> Iterator[Finding]:
    """Judge the settings of a primary that has so many replicas."""
    judges: dict[str, Judge] = {
        "wal_level": wal_level,
        "max_wal_senders": lambda setting: _room(setting, len(facts.senders), replicas, "senders"),
        "max_replication_slots": lambda setting: _room(setting, len(facts.slots), replicas, "slots"),
        "max_slot_wal_keep_size": lambda setting: _kept(setting, facts),
        "synchronous_standby_names": lambda setting: _synchronous(setting, facts),
        "default_transaction_read_only": _read_only,
        "hot_standby": hot_standby,
        "max_connections": lambda _: WELL,
    }
    return judged(alias, facts, judges)


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


def _read_only(setting: Setting) -> Judged:
    if setting.is_on:
        return Judged(
            Verdict.FAIL, f"Writes on this alias are refused. Its {setting.source or 'source'} says so: turn it off."
        )
    return WELL
