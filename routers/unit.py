"""The unit of work: one request, task, command or block, and what Readshift remembers while it lasts."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.db.models import Model

from rollout.contracts import Contract, strictest
from rollout.gates import Gate
from rollout.models.arm import Side
from rollout.policy import Rule
from rollout.settings import get_settings
from routers.arms import Membership, arms
from routers.decisions import Asked, Decision
from routers.departures import Seat
from routers.endpoint_meter import endpoint_meter
from routers.endpoints import LONGEST
from routers.meter import meter
from routers.positions import Position
from routers.series import Counted
from routers.subjects import Party, PlainParty
from routers.trail import Trail


class UnitKind(StrEnum):
    REQUEST = "request"
    TASK = "task"
    COMMAND = "command"
    BLOCK = "block"


class Watch(StrEnum):
    """What is done about a read that the primary serves in a replica's place: LOG it, or RAISE an error."""

    LOG = "log"
    RAISE = "raise"


@dataclass(slots=True)
class Unit:
    """What is remembered while one unit of work lasts.

    trail: whom it serves, what it wrote and saw, and what its reads must show.
    is_safe: False for a request whose HTTP method may write.
    atomic_aliases: where the view runs in a transaction only because of ATOMIC_REQUESTS.
    positions: replica alias to the position it gave when this unit asked; None when it gave none.
    settled: model to the decision for the primary that it keeps for the rest of the unit.
    asked: alias to the router's last answer for it, apart from those that were given again.
    counted: what threads of the unit have counted and is not in the meter yet, by thread and model.
    gates: each gate that was asked, with its answer, so that a unit asks once.
    prepared: alias to the driver's connection on which the host's session state was set.
    may_fall_back: whether the fallback budget had room for this unit; None before it was asked.
    is_accounted: whether the budget knows of this unit.
    is_deciding: True while a gate is being asked, which may itself read.
    arms: kind and target of each rule of whose rollout it is part, with its place there.
    began: when it began, on `time.perf_counter`.
    has_ended: whether it was counted.
    """

    kind: UnitKind
    endpoint: str
    trail: Trail = field(default_factory=lambda: Trail(PlainParty()))
    is_safe: bool = True
    atomic_aliases: frozenset[str] = frozenset()
    positions: dict[str, Position | None] = field(default_factory=dict)
    settled: dict[str, Decision] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    counted: dict[tuple[Seat, type[Model]], Counted] = field(default_factory=dict)
    gates: dict[tuple[str, str], tuple[Gate, bool]] = field(default_factory=dict)
    prepared: dict[str, object] = field(default_factory=dict)
    may_fall_back: bool | None = None
    is_accounted: bool = False
    is_deciding: bool = False
    arms: dict[tuple[str, str], Membership] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    has_ended: bool = False

    def __post_init__(self) -> None:
        # A name that does not fit into the tables would keep back all that the process has counted.
        self.endpoint = self.endpoint[:LONGEST]

    @property
    def party(self) -> Party:
        return self.trail.party

    @property
    def affinity(self) -> str:
        """The key that chooses the replica: the actor, or this unit alone when it serves nobody in particular."""
        return self.party.actor or f"unit:{self.party.dice}"

    def opens(self, rule: Rule) -> bool:
        """Say whether the rule's gate is on for this unit.

        The answer is kept. When the policy is swapped meanwhile, a gate can still close for this unit, so that a
        rollback reaches work that is under way, but it cannot open: reads of one unit never move from the primary to
        a replica.
        """
        if rule.gate is None:
            return True
        key = (rule.gate_kind, rule.gate_name)
        asked, answer = self.gates.get(key, (None, True))
        if asked is not rule.gate:
            answer = answer and self.asks_gate(rule)
            self.gates[key] = (rule.gate, answer)
        return answer

    def asks_gate(self, rule: Rule) -> bool:
        """Ask the rule's gate, without keeping the answer."""
        if rule.gate is None:
            return True
        self.is_deciding = True
        try:
            return rule.gate.is_open(self.party)
        finally:
            self.is_deciding = False

    def join(self, decision: Decision, revision: int) -> None:
        """Take its place in the rollouts that the decision is part of, by intention: whatever becomes of the read.

        Whom a rule has let go once stays in the replica's arm. A rule without a gate has no arms.
        """
        if decision.kept_by is not None:
            rule = decision.kept_by
            self.arms.setdefault((rule.target_kind, rule.target), Membership(rule, Side.PRIMARY, revision))
        elif decision.terms is not None:
            for rule in decision.terms.let_go_by:
                key = (rule.target_kind, rule.target)
                if rule.gate is not None and (key not in self.arms or self.arms[key].side is Side.PRIMARY):
                    self.arms[key] = Membership(rule, Side.REPLICA, revision)

    def members(self, rules: Iterable[Rule]) -> tuple[Membership, ...]:
        """Return its places in the rollouts of these rules."""
        places = (self.arms.get((rule.target_kind, rule.target)) for rule in rules)
        return tuple(member for member in places if member is not None)

    def count_read(self, decision: Decision) -> None:
        """Count a read in the rollouts that have it meant for a replica."""
        if decision.terms is not None and self.arms:
            for member in self.members(decision.terms.let_go_by):
                member.reads += 1
                member.fallbacks += decision.falls_back

    def count_by(self, seat: Seat, model: type[Model], counted: Counted) -> None:
        """Have a thread count its reads of a model here from now on. What it has counted before gets into the meter."""
        if (before := self.counted.get((seat, model))) is not None:
            self._settle(before)
        self.counted[seat, model] = counted

    def _settle(self, counted: Counted) -> None:
        new = meter.settle(counted)
        for member in counted.members:
            member.reads += new

    def end(self, *, failed: bool) -> None:
        """Have its endpoint and its arms count it, once."""
        if self.has_ended:
            return
        self.has_ended = True
        # Threads that it has started may go on reading, and nobody settles what they count.
        self.trail.turn()
        for counted in tuple(self.counted.values()):
            self._settle(counted)
        self.counted.clear()
        seconds = time.perf_counter() - self.began
        has_written = bool(self.trail.written)
        endpoint_meter.count(
            self.endpoint,
            seconds,
            failed=failed,
            has_written_safely=has_written and self.kind is UnitKind.REQUEST and self.is_safe,
            has_written_after_read=has_written and self._has_read_before_writing(),
            has_token=self.party.brings_token,
        )
        if self.arms:
            arms.count(list(self.arms.values()), seconds, failed=failed)

    def _has_read_before_writing(self) -> bool:
        """Say whether a primary was written to after a read that it had served, or a replica for it, by the rules.

        After a write no decision is up to the rules any more, so those that are were taken before it.
        """
        cluster_of = get_settings().cluster_of_alias
        # Copies: code that the unit has started in other threads may decide meanwhile.
        kept, settled = tuple(self.trail.kept.values()), tuple(self.settled.values())
        on_replicas = (cluster.primary for alias in kept if (cluster := cluster_of(alias)))
        on_primaries = (decision.alias for decision in settled if decision.reason.is_up_to_rules)
        return any(primary in self.trail.written for primary in (*on_replicas, *on_primaries))

    def enter_endpoint(self, endpoint: str) -> None:
        """Name the endpoint once it is known. What was settled before it does not bind it."""
        self.endpoint = endpoint
        self.settled.clear()
        self.trail.turn()


@dataclass(frozen=True, slots=True)
class Block:
    """What the blocks that count here ask for together.

    forces_primary: whether every read goes to the primary. pool: where reads go without a rule, or None.
    contract: the strictest that blocks ask for, or None. wait_seconds: how long a replica may take to catch up, or None
    for the setting. watch: what is done about a read that the primary serves in a replica's place, or None.
    """

    forces_primary: bool = False
    pool: str | None = None
    contract: Contract | None = None
    wait_seconds: float | None = None
    watch: Watch | None = None

    @property
    def steers(self) -> bool:
        """Whether it says anything about where reads go."""
        return replace(self, watch=None) != Block()

    def within(self, outer: "Block | None") -> "Block":
        """Return what this block and those around it ask for.

        Within `use_primary` nothing leads to a replica: whoever asked for the primary meant it.
        """
        if outer is None:
            return self
        contracts = [contract for contract in (self.contract, outer.contract) if contract is not None]
        watches = {self.watch, outer.watch}
        return Block(
            forces_primary=self.forces_primary or outer.forces_primary,
            pool=self.pool or outer.pool,
            contract=strictest(contracts) if contracts else None,
            wait_seconds=outer.wait_seconds if self.wait_seconds is None else self.wait_seconds,
            watch=Watch.RAISE if Watch.RAISE in watches else self.watch or outer.watch,
        )
