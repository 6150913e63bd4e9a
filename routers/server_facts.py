"""What one server says about itself and about replication, and how that is read from its answer. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]

_MAJOR = 10_000
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0}
_BYTES = {"B": 1, "kB": 1024, "8kB": 8192, "MB": 1024**2}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as `pg_settings` has it. source: where its value comes from, such as `configuration file`."""

    value: str
    unit: str = ""
    source: str = ""
    awaits_restart: bool = False

    @property
    def is_on(self) -> bool:
        return self.value == "on"

    @property
    def number(self) -> int:
        """The value of a whole number, in its unit."""
        return int(self.value)

    @property
    def seconds(self) -> float:
        """The value of a length of time; negative ones mean no limit."""
        return self.number * _SECONDS.get(self.unit, 1.0)

    @property
    def bytes(self) -> int:
        """The value of a size; negative ones mean no limit."""
        return self.number * _BYTES.get(self.unit, 1)

    def __str__(self) -> str:
        if not self.value:
            return "empty"
        if not self.unit or not self.value.isdigit() or not self.number:
            return self.value
        if self.unit == "ms" and not self.number % 1000:
            return f"{self.number // 1000} s"
        return f"{self.value} {self.unit}"


@dataclass(frozen=True, slots=True)
class Slot:
    """One replication slot. retained: bytes of the log that are kept for it. safe: bytes until it may be lost.

    status: `reserved`, `extended`, `unreserved` or `lost`, or empty for one that has never been used. pid: the process
    that sends from it, or None. why_lost: PostgreSQL's word for what has made it useless, or empty.
    """

    name: str
    kind: str
    is_active: bool
    pid: int | None
    status: str
    retained: int | None
    safe: int | None
    why_lost: str


@dataclass(frozen=True, slots=True)
class Sender:
    """One receiver of the log, as the server that sends sees it. Lags are in seconds, or None while nothing is sent.

    state: such as `streaming`; empty where the role may not see it. behind: bytes of the log that it has not replayed.
    """

    pid: int
    name: str
    state: str
    sync_state: str
    write_lag: float | None
    flush_lag: float | None
    replay_lag: float | None
    behind: int | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a standby gets the log from. status, slot and sender are empty where the role may not see them."""

    status: str
    slot: str
    sender: str


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What one server says. Positions are bytes of the log, or None where it has no such position.

    version: as a number, such as 180001. inserted, flushed: of a primary. received, replayed: of a standby.
    replayed_ago: how many seconds before the answer the last commit that it has replayed was made, or None before the
    first. pause: the state of replay, such as `not paused`, or empty on a primary. receiver: None if none runs.
    conflicts: how many queries on this database replay has cancelled, by kind. connections: how many clients it has.
    subscriptions: how many logical subscriptions the database has that are enabled.
    may_read_all: whether the role may see what `pg_stat_replication` and the like show to monitors alone.
    recorded_collation, actual_collation: the version of the database's collation that its indexes rest on, and that of
    the machine; empty where the collation has none.
    """

    version: int
    version_name: str
    is_standby: bool
    system: int
    timeline: int
    may_read_all: bool
    role: str = ""
    inserted: int | None = None
    flushed: int | None = None
    received: int | None = None
    replayed: int | None = None
    replayed_ago: float | None = None
    pause: str = ""
    receiver: Receiver | None = None
    senders: tuple[Sender, ...] = ()
    slots: tuple[Slot, ...] = ()
    conflicts: Mapping[str, int] = field(default_factory=dict)
    connections: int = 0
    subscriptions: int = 0
    settings: Mapping[str, Setting] = field(default_factory=dict)
    recorded_collation: str = ""
    actual_collation: str = ""

    @property
    def major(self) -> int:
        return self.version // _MAJOR

    @property
    def is_subscriber(self) -> bool:
        """Whether it is no copy of another server, and has what others publish."""
        return not self.is_standby and self.subscriptions > 0

    @property
    def conflict_count(self) -> int:
        return sum(self.conflicts.values())


@dataclass(frozen=True, slots=True)
class Silence:
    """A server that told nothing, and why, to continue its name."""

    words: str


def behind(primary: ServerFacts | Silence | None, replica: ServerFacts) -> int | None:
    """Return how many bytes a replica has yet to replay, or None if that cannot be known.

    The two were asked at the same time but not in the same instant, so that a few bytes mean nothing.
    """
    if not isinstance(primary, ServerFacts) or primary.inserted is None or replica.replayed is None:
        return None
    if (primary.system, primary.timeline) != (replica.system, replica.timeline):
        return None
    return max(0, primary.inserted - replica.replayed)


def read_facts(document: Document) -> ServerFacts:
    """Return what the answer to the inspection's question says."""
    receiver = document["receiver"]
    return ServerFacts(
        version=document["version"],
        version_name=document["version_name"],
        is_standby=document["is_standby"],
        system=int(document["system"]),
        timeline=document["timeline"],
        may_read_all=document["may_read_all"],
        role=document["role"],
        inserted=_whole(document["inserted"]),
        flushed=_whole(document["flushed"]),
        received=_whole(document["received"]),
        replayed=_whole(document["replayed"]),
        replayed_ago=document["replayed_ago"],
        pause=document["pause"] or "",
        receiver=None if receiver is None else _receiver(receiver),
        senders=tuple(map(_sender, document["senders"] or ())),
        slots=tuple(map(_slot, document["slots"] or ())),
        conflicts=dict(_conflicts(document["conflicts"] or {})),
        connections=document["connections"] or 0,
        subscriptions=document["subscriptions"],
        settings={row["name"]: _setting(row) for row in document["settings"] or ()},
        recorded_collation=document["recorded_collation"] or "",
        actual_collation=document["actual_collation"] or "",
    )


def _receiver(row: Document) -> Receiver:
    sender = f"{row.get('sender_host')}:{row.get('sender_port')}" if row.get("sender_host") else ""
    return Receiver(status=row.get("status") or "", slot=row.get("slot_name") or "", sender=sender)


def _sender(row: Document) -> Sender:
    return Sender(
        pid=row["pid"],
        name=row["application_name"] or "",
        state=row["state"] or "",
        sync_state=row["sync_state"] or "",
        write_lag=row["write_lag"],
        flush_lag=row["flush_lag"],
        replay_lag=row["replay_lag"],
        behind=_whole(row["behind"]),
    )


def _slot(row: Document) -> Slot:
    return Slot(
        name=row["slot_name"],
        kind=row["slot_type"],
        is_active=row["active"],
        pid=row["active_pid"],
        status=row["wal_status"] or "",
        retained=_whole(row["retained"]),
        safe=_whole(row["safe_wal_size"]),
        # PostgreSQL has it since 17.
        why_lost=row.get("invalidation_reason") or "",
    )


def _conflicts(row: Document) -> Iterator[tuple[str, int]]:
    prefix = "confl_"
    for name, count in sorted(row.items()):
        if name.startswith(prefix):
            yield name.removeprefix(prefix), count or 0


def _setting(row: Document) -> Setting:
    return Setting(row["setting"] or "", row["unit"] or "", row["source"] or "", row["pending_restart"])


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
