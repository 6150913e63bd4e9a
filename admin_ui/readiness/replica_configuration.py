"""Judges the settings of a replica that decide how it follows, and what it would be as a primary. Pure."""

from collections.abc import Iterator
from functools import partial

from admin_ui.drawing.figures import size
from admin_ui.readiness.configuration import WELL, Judge, Judged, hot_standby, judged, wal_level
from admin_ui.readiness.findings import Finding, Verdict
from routers.server_facts import ServerFacts, Setting

_SLOWEST_STATUS_SECONDS = 10.0
_AS_LARGE_AS_ON_THE_PRIMARY = (
    "max_connections",
    "max_prepared_transactions",
    "max_worker_processes",
    "max_locks_per_transaction",
    "max_wal_senders",
)
"""A standby stops replaying, or does not start, where one of these is smaller than on its primary."""


def judge_replica_settings(
    alias: str, facts: ServerFacts, primary: ServerFacts | None, greatest_lag: float
) -> Iterator[Finding]:
    """Judge the settings of a replica. greatest_lag: beyond how many seconds it serves no reads."""
    judges: dict[str, Judge] = {
        "hot_standby_feedback": lambda setting: _feedback(setting, facts),
        "max_standby_streaming_delay": lambda setting: _delay(setting, facts, greatest_lag),
        "max_standby_archive_delay": lambda setting: _delay(setting, facts, greatest_lag),
        "recovery_min_apply_delay": lambda setting: _apply_delay(setting, greatest_lag),
        "wal_receiver_status_interval": lambda setting: _status_interval(setting, facts),
        "primary_slot_name": lambda setting: _slot_name(setting, primary),
        "default_transaction_read_only": _read_only,
        "hot_standby": hot_standby,
        "wal_level": wal_level,
        **{name: partial(_as_large, primary=primary, name=name) for name in _AS_LARGE_AS_ON_THE_PRIMARY},
    }
    return judged(alias, facts, judges)


def _read_only(setting: Setting) -> Judged:
    if setting.is_on and setting.source != "client":
        return Judged(
            Verdict.ATTENTION,
            f"Once it is promoted, this server refuses writes until this is off. It comes from: {setting.source}.",
        )
    return WELL


def _feedback(setting: Setting, facts: ServerFacts) -> Judged:
    if setting.is_on:
        return Judged(Verdict.PASS, "Long reads here hold back vacuum on the primary, whose tables grow meanwhile.")
    cancelled = facts.conflicts.get("snapshot", 0)
    if cancelled:
        return Judged(
            Verdict.ATTENTION,
            f"{cancelled:,} {'query was' if cancelled == 1 else 'queries were'} cancelled because vacuum on the "
            f"primary removed rows that could still be seen. Turn it on, or raise max_standby_streaming_delay.",
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
