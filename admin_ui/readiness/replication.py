"""Judges whether replicas follow their primary, and whether one of them could take its place. Pure."""

from collections.abc import Collection, Iterator

from admin_ui.drawing.figures import size
from admin_ui.readiness.findings import Finding, Verdict
from admin_ui.readiness.identity import GRANT
from routers.server_facts import Sender, ServerFacts, Slot, behind

NOT_PAUSED = "not paused"
LITTLE_BYTES = 16 * 1024**2
"""One segment of the log in its usual size: less than that is soon replayed."""


def judge_replica(
    alias: str, facts: ServerFacts, primary: ServerFacts | None, *, measured: float | None, greatest_lag: float
) -> Iterator[Finding]:
    """Judge one replica that answers.

    measured: how many seconds it is behind by what this process has measured, if it has. greatest_lag: beyond how many
    seconds it serves no reads.
    """
    yield _receives(alias, facts)
    yield _slot(alias, facts, primary)
    yield _lag(alias, facts, primary, measured, greatest_lag)
    if primary is not None:
        yield _connections(alias, facts, primary)


def judge_succession(alias: str, facts: ServerFacts, replicas: int) -> Finding:
    """Judge whether a replica could feed all others of so many, and the old primary, once it is promoted."""
    title = "Each replica could feed the others once it is promoted"
    senders, slots = facts.settings.get("max_wal_senders"), facts.settings.get("max_replication_slots")
    if senders is None or slots is None:
        return Finding("succession", alias, title, Verdict.UNKNOWN, "its settings are not known")
    fact = f"{senders.number} senders and {slots.number} slots at most"
    if senders.number < replicas or slots.number < replicas:
        step = f"Set max_wal_senders and max_replication_slots to {replicas} at least, and restart."
        return Finding("succession", alias, title, Verdict.FAIL, fact, step)
    step = "Slots are not copied to standbys: create those of the others after the promotion." if replicas > 1 else ""
    return Finding("succession", alias, title, Verdict.PASS, fact, step)


def judge_rejoining(alias: str, facts: ServerFacts) -> Finding:
    """Judge whether a primary that was replaced could come back as a standby without being built anew."""
    title = "An old primary could come back as a standby"
    checksums, hints = facts.settings.get("data_checksums"), facts.settings.get("wal_log_hints")
    if checksums is None or hints is None:
        return Finding("rejoining", alias, title, Verdict.UNKNOWN, "its settings are not known")
    if checksums.is_on or hints.is_on:
        return Finding(
            "rejoining", alias, title, Verdict.PASS, "data checksums" if checksums.is_on else "wal_log_hints"
        )
    step = "pg_rewind refuses such a server, which then has to be built anew. Set wal_log_hints to on, and restart."
    return Finding("rejoining", alias, title, Verdict.ATTENTION, "neither data checksums nor wal_log_hints", step)


def judge_checksums(alias: str, facts: ServerFacts, primary: ServerFacts) -> Finding:
    """Judge whether a replica notices a damaged page as its primary does."""
    title = "Data checksums as on the primary"
    here, there = facts.settings.get("data_checksums"), primary.settings.get("data_checksums")
    if here is None or there is None:
        return Finding("checksums", alias, title, Verdict.UNKNOWN, "its settings are not known")
    if here.value == there.value:
        return Finding("checksums", alias, title, Verdict.PASS, str(here))
    step = f"They are {there} on the primary. Stop the server, and run pg_checksums, or build it anew."
    return Finding("checksums", alias, title, Verdict.ATTENTION, str(here), step)


def judge_idle_slots(alias: str, facts: ServerFacts, used: Collection[str]) -> Finding:
    """Judge the slots of a primary that are of no replica named here. used: the slots of those."""
    title = "No slot holds log for nobody"
    idle = [slot for slot in facts.slots if not slot.is_active and slot.name not in used]
    if not idle:
        return Finding("idle_slots", alias, title, Verdict.PASS, f"none of {len(facts.slots)} is forgotten")
    fact = ", ".join(f"“{slot.name}” is idle and keeps {_kept(slot)}" for slot in idle)
    step = "What they keep grows until the disk is full. If nobody comes back for it: pg_drop_replication_slot()."
    return Finding("idle_slots", alias, title, Verdict.ATTENTION, fact, step)


def slot_of(facts: ServerFacts) -> str:
    """Return the name of the slot that a replica uses, or empty."""
    setting = facts.settings.get("primary_slot_name")
    return (facts.receiver.slot if facts.receiver is not None else "") or (setting.value if setting is not None else "")


def sender_to(facts: ServerFacts, primary: ServerFacts) -> Sender | None:
    """Return how the primary sees this replica, which it knows by the slot alone; None if that cannot be told."""
    name = slot_of(facts)
    pid = next((slot.pid for slot in primary.slots if name and slot.name == name), None)
    return next((sender for sender in primary.senders if sender.pid == pid), None)


def _receives(alias: str, facts: ServerFacts) -> Finding:
    title = "Replicas receive the log"
    if facts.receiver is None:
        step = (
            "Its WAL receiver does not run. Its log says why: primary_conninfo, the slot, pg_hba.conf of the primary."
        )
        return Finding("receives", alias, title, Verdict.FAIL, "receives nothing", step)
    if not facts.receiver.status:
        return Finding(
            "receives", alias, title, Verdict.UNKNOWN, "its receiver runs", GRANT.format(role=facts.role or "the role")
        )
    fact = f"{facts.receiver.status} from {facts.receiver.sender or 'its primary'}"
    if facts.receiver.status == "streaming":
        return Finding("receives", alias, title, Verdict.PASS, fact)
    return Finding("receives", alias, title, Verdict.ATTENTION, fact, "It connects, or waits. Look again in a moment.")


def _slot(alias: str, facts: ServerFacts, primary: ServerFacts | None) -> Finding:
    title = "The primary keeps the log for each replica"
    name = slot_of(facts)
    kept = primary.settings.get("wal_keep_size") if primary is not None else None
    if not name and kept is not None and kept.bytes > 0:
        return Finding("slot", alias, title, Verdict.PASS, f"no slot, {size(kept.bytes)} of log are kept for all")
    if not name:
        step = "The primary may remove what it still needs. Create a slot there, and set primary_slot_name."
        return Finding("slot", alias, title, Verdict.ATTENTION, "has no slot", step)
    if primary is None:
        return Finding("slot", alias, title, Verdict.UNKNOWN, f"slot “{name}”; its primary did not answer")
    slot = next((slot for slot in primary.slots if slot.name == name), None)
    if slot is None:
        step = "It was dropped, or this replica follows another standby. Create it if it should be there."
        return Finding("slot", alias, title, Verdict.ATTENTION, f"slot “{name}” is not on the primary", step)
    return _judge_slot(alias, title, slot)


def _judge_slot(alias: str, title: str, slot: Slot) -> Finding:
    fact = f"slot “{slot.name}” keeps {_kept(slot)}"
    if slot.status == "lost":
        why = f" ({slot.why_lost})" if slot.why_lost else ""
        step = "The primary has removed what this replica still needs. Build it anew, or replay it from an archive."
        return Finding("slot", alias, title, Verdict.FAIL, f"slot “{slot.name}” is lost{why}", step)
    if slot.status == "unreserved":
        step = "The next checkpoint may remove it. Let the replica catch up now, or raise max_slot_wal_keep_size."
        return Finding("slot", alias, title, Verdict.FAIL, f"{fact}, more than it may", step)
    if not slot.is_active:
        left = f" {size(max(0, slot.safe))} more, and it is lost." if slot.safe is not None else ""
        step = f"Nobody reads from it.{left} See why the replica does not connect."
        return Finding("slot", alias, title, Verdict.ATTENTION, f"{fact} and is idle", step)
    return Finding("slot", alias, title, Verdict.PASS, fact)


def _lag(
    alias: str, facts: ServerFacts, primary: ServerFacts | None, measured: float | None, greatest_lag: float
) -> Finding:
    title = "Replicas are close behind"
    if facts.pause and facts.pause != NOT_PAUSED:
        step = "It shows nothing new until somebody runs SELECT pg_wal_replay_resume() there."
        return Finding("lag", alias, title, Verdict.FAIL, f"its replay is {facts.pause}", step)
    missing = behind(primary, facts)
    if missing is None:
        return Finding("lag", alias, title, Verdict.UNKNOWN, "how far it is behind its primary cannot be told")
    sender = sender_to(facts, primary) if primary is not None else None
    reported = sender.replay_lag if sender is not None else None
    seconds = max((value for value in (measured, reported) if value is not None), default=None)
    fact = "shows all" if not missing else f"{size(missing)} behind"
    if missing and seconds is not None:
        fact += f", at most {seconds:.1f} s"
    if missing and (missing > LITTLE_BYTES or (seconds or 0.0) > greatest_lag):
        step = (
            f"Beyond {greatest_lag:g} s it serves no reads, and what it has not received is lost in a failover. See "
            f"what holds it up: a long read there, its disk, the network, or a burst of writes."
        )
        return Finding("lag", alias, title, Verdict.ATTENTION, fact, step)
    return Finding("lag", alias, title, Verdict.PASS, fact)


def _connections(alias: str, facts: ServerFacts, primary: ServerFacts) -> Finding:
    title = "Each replica could take the clients of the primary"
    most, reserved = facts.settings.get("max_connections"), facts.settings.get("superuser_reserved_connections")
    if most is None or reserved is None:
        return Finding("connections", alias, title, Verdict.UNKNOWN, "its settings are not known")
    room = most.number - reserved.number
    needed = primary.connections + facts.connections
    fact = f"room for {room:,}, {facts.connections:,} used here and {primary.connections:,} on the primary"
    if primary.connections > room:
        step = "Once it is promoted, some clients would be refused. Raise max_connections, or put a pooler in front."
        return Finding("connections", alias, title, Verdict.FAIL, fact, step)
    if needed > room:
        step = (
            "Together they do not fit: reads move elsewhere as it is promoted. Raise max_connections, or use a pooler."
        )
        return Finding("connections", alias, title, Verdict.ATTENTION, fact, step)
    return Finding("connections", alias, title, Verdict.PASS, fact)


def _kept(slot: Slot) -> str:
    return "an unknown amount of log" if slot.retained is None else f"{size(max(0, slot.retained))} of log"
