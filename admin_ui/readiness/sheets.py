"""What servers say, in the words of the page. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from admin_ui.drawing.figures import duration, size
from admin_ui.readiness.assessment import Assessment
from admin_ui.readiness.findings import Finding, summary
from admin_ui.readiness.identity import Said
from admin_ui.readiness.replication import sender_to, slot_of
from rollout.options import Cluster
from routers.positions import format_lsn
from routers.server_facts import Sender, ServerFacts, Silence, Slot, behind
from tasks.reporting.words import milliseconds

NOTHING = "–"  # noqa: RUF001 - as tables have it
_FROM_SECONDS = 1000


@dataclass(frozen=True, slots=True)
class SenderRow:
    """One receiver of the log, as the primary sees it."""

    name: str
    state: str
    sync_state: str
    write_lag: str
    flush_lag: str
    replay_lag: str
    behind: str


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One slot of the primary."""

    name: str
    kind: str
    state: str
    status: str
    retained: str
    safe: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One server. silence: why it says nothing, to continue its name, or empty. facts: names and values."""

    alias: str
    is_primary: bool
    silence: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    senders: tuple[SenderRow, ...] = ()
    slots: tuple[SlotRow, ...] = ()
    settings: tuple[Finding, ...] = ()

    @property
    def key(self) -> str:
        """A name for its element on the page. An alias may be any text."""
        return blake2b(self.alias.encode(), digest_size=8).hexdigest()

    @property
    def summary(self) -> str:
        """How its settings are, in one line."""
        return summary(self.settings)


@dataclass(frozen=True, slots=True)
class ClusterSheet:
    """One cluster: its checklist, and a sheet for each server, the primary first."""

    assessment: Assessment
    servers: tuple[Sheet, ...]

    @property
    def summary(self) -> str:
        """How its checks are, in one line."""
        return summary(self.assessment.checklist)


def cluster_sheet(cluster: Cluster, servers: dict[str, Said], assessment: Assessment) -> ClusterSheet:
    """Put a cluster into words."""
    primary = servers.get(cluster.primary)
    aliases = (cluster.primary, *(replica.alias for replica in cluster.replicas))
    return ClusterSheet(
        assessment,
        tuple(
            _sheet(alias, servers.get(alias), primary, assessment, is_primary=alias == cluster.primary)
            for alias in aliases
        ),
    )


def _sheet(alias: str, said: Said, primary: Said, assessment: Assessment, *, is_primary: bool) -> Sheet:
    if not isinstance(said, ServerFacts):
        return Sheet(alias, is_primary, silence=said.words if isinstance(said, Silence) else "was not asked")
    there = primary if isinstance(primary, ServerFacts) else None
    return Sheet(
        alias,
        is_primary,
        facts=tuple(_facts(said) if is_primary else (*_facts(said), *_replication(said, there))),
        senders=tuple(map(_sender, said.senders)),
        slots=tuple(map(_slot, said.slots)),
        settings=assessment.settings.get(alias, ()),
    )


def _facts(said: ServerFacts) -> Iterator[tuple[str, str]]:
    most = said.settings.get("max_connections")
    yield "Version", f"PostgreSQL {said.version_name}"
    yield "Is", "a standby" if said.is_standby else "a primary"
    yield "System identifier", str(said.system)
    yield "Timeline", str(said.timeline)
    yield "Clients", f"{said.connections} of {most}" if most is not None else str(said.connections)
    if not said.is_standby:
        yield "Log written to", _position(said.inserted)
        yield "Log flushed to", _position(said.flushed)


def _replication(said: ServerFacts, primary: ServerFacts | None) -> Iterator[tuple[str, str]]:
    missing = behind(primary, said)
    ago = (
        f"; the last commit that it shows was made {duration(said.replayed_ago)} ago"
        if said.replayed_ago is not None
        else ""
    )
    yield "Behind its primary", f"{'not known' if missing is None else size(missing)}{ago}"
    yield "Log received to", _position(said.received)
    yield "Log replayed to", _position(said.replayed)
    yield "Replay", said.pause or NOTHING
    receiver = said.receiver
    if receiver is None:
        yield "Receiver", "does not run"
    else:
        status = receiver.status or "runs; grant pg_monitor to see more"
        yield "Receiver", f"{status} from {receiver.sender}" if receiver.sender else status
    if primary is not None:
        yield from _seen_from(primary, said)
    cancelled = ", ".join(f"{count:,} {kind}" for kind, count in said.conflicts.items() if count)
    yield "Queries that replay has cancelled", cancelled or "none"


def _seen_from(primary: ServerFacts, said: ServerFacts) -> Iterator[tuple[str, str]]:
    slot = next((slot for slot in primary.slots if slot.name == slot_of(said)), None)
    yield "Slot", f"{slot.name}: {_slot_words(slot)}" if slot is not None else slot_of(said) or "none"
    sender = sender_to(said, primary)
    if sender is not None and sender.state:
        lags = f"write {_lag(sender.write_lag)}, flush {_lag(sender.flush_lag)}, replay {_lag(sender.replay_lag)}"
        yield "Its primary sees", f"{sender.state}, {sender.sync_state}; lag: {lags}"
    elif sender is not None:
        yield "Its primary sees", "that it is there; grant pg_monitor to see more"


def _slot_words(slot: Slot) -> str:
    kept = f", keeps {size(max(0, slot.retained))} of log" if slot.retained is not None else ""
    safe = f", is safe for {size(max(0, slot.safe))} more" if slot.safe is not None else ""
    return f"{'active' if slot.is_active else 'idle'}, {slot.status or 'never used'}{kept}{safe}"


def _sender(sender: Sender) -> SenderRow:
    return SenderRow(
        name=sender.name or f"process {sender.pid}",
        state=sender.state or "not known",
        sync_state=sender.sync_state or "not known",
        write_lag=_lag(sender.write_lag),
        flush_lag=_lag(sender.flush_lag),
        replay_lag=_lag(sender.replay_lag),
        behind=NOTHING if sender.behind is None else size(max(0, sender.behind)),
    )


def _slot(slot: Slot) -> SlotRow:
    status = slot.status or "never used"
    return SlotRow(
        name=slot.name,
        kind=slot.kind,
        state="active" if slot.is_active else "idle",
        status=f"{status}: {slot.why_lost}" if slot.why_lost else status,
        retained=NOTHING if slot.retained is None else size(max(0, slot.retained)),
        safe="no limit" if slot.safe is None else size(max(0, slot.safe)),
    )


def _position(lsn: int | None) -> str:
    return NOTHING if lsn is None else format_lsn(lsn)


def _lag(seconds: float | None) -> str:
    return NOTHING if seconds is None else milliseconds(seconds * _FROM_SECONDS)
