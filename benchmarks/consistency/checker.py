"""Which session guarantees a history breaks. A pure function of the history.

The guarantees are those of D. B. Terry, A. J. Demers, K. Petersen, M. J. Spreitzer, M. M. Theimer and B. B. Welch,
"Session Guarantees for Weakly Consistent Replicated Data" (PDIS 1994), section 3. A session of the paper is an actor
here. The paper speaks of what a server's database contains; a client sees no more than answers, so each guarantee is
checked by what an answer shows:

read_your_writes: a read of a key shows no version below one that the same actor wrote, where the write was acknowledged
    before the read began.

monotonic_reads: a read of a key shows no version below one that the same actor was shown before. Nor does it hide what
    lies behind something the actor was shown before: whoever has seen a write has, at that server, also seen what its
    writer had written and read before it (that is the meaning of the next two guarantees), so that a later read without
    it comes from a database without the write that was seen.

monotonic_writes: two writes of an actor, the second begun after the first was acknowledged, are applied in this order.
    Of the same key, the second has the higher version. Of different keys, no answer that shows the second shows less
    than the first.

writes_follow_reads: a write is applied after what its actor had read before. Of the same key, it has a higher version
    than the one read. Of different keys, no answer that shows the write shows less than what had been read. A value may
    itself say what its writer had read, and that is checked as well.

Operations that overlap are in no order and break nothing. Writes that failed or whose outcome is unknown demand
nothing, and neither do failed reads. Within an answer, values of a later query are held against those of an earlier one
and of their own, never the other way round, since the database may have moved on between two queries.

Versions that a `Handover` proves to be lost demand nothing from then on or before: asynchronous replication may lose
what it acknowledged, which is counted in `lost_writes` and is no fault of who chooses where to read.

Each operation counts at most once for each guarantee, and for each guarantee that it breaks.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.consistency.floors import Floor, Past, Pasts
from benchmarks.consistency.history import Handover, Kind, Operation


@dataclass(frozen=True, slots=True)
class Violation:
    """An operation, and the earlier one that it contradicts."""

    operation: Operation
    earlier: Operation


@dataclass(frozen=True, slots=True)
class Violations:
    """What a history breaks, and which acknowledged writes it lost."""

    read_your_writes: tuple[Violation, ...] = ()
    monotonic_reads: tuple[Violation, ...] = ()
    monotonic_writes: tuple[Violation, ...] = ()
    writes_follow_reads: tuple[Violation, ...] = ()
    lost_writes: tuple[Operation, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many violations of each guarantee there are."""
        return {
            "read_your_writes": len(self.read_your_writes),
            "monotonic_reads": len(self.monotonic_reads),
            "monotonic_writes": len(self.monotonic_writes),
            "writes_follow_reads": len(self.writes_follow_reads),
        }


def check(operations: Iterable[Operation], handovers: Sequence[Handover] = ()) -> Violations:
    """Find every violation in a history, in the order in which the operations began."""
    answered = sorted((operation for operation in operations if operation.is_ok), key=lambda found: found.started)
    lasting = {id(operation): _lasting_version(operation, handovers) for operation in answered}
    actors: dict[str, list[Operation]] = defaultdict(list)
    for operation in answered:
        actors[operation.actor].append(operation)
    lost = [operation for operation in answered if lasting[id(operation)] < operation.version]
    # What a value says of itself gives no time, so that it may mean a version that was lost and made again.
    unclear = frozenset(operation.key for operation in lost)
    pasts = Pasts()
    found = _Found()
    for own in actors.values():
        _follow_writes(own, lasting, pasts, found)
    for own in actors.values():
        _follow_reads(own, lasting, pasts, found)
        _check_answers(own, lasting, pasts, found, unclear)
    return found.result(operation for operation in lost if operation.kind is Kind.WRITE)


def _lasting_version(operation: Operation, handovers: Sequence[Handover]) -> int:
    """Return the highest version up to this operation's that was not lost afterwards."""
    known = (handover.versions.get(operation.key, 0) for handover in handovers if operation.ended < handover.at)
    return min((operation.version, *known))


class _Found:
    """The violations so far, by the name of the guarantee, each operation once."""

    def __init__(self) -> None:
        self._by_guarantee: dict[str, dict[int, Violation]] = defaultdict(dict)

    def add(self, guarantee: str, operation: Operation, earlier: Operation | None) -> None:
        if earlier is not None:
            self._by_guarantee[guarantee].setdefault(id(operation), Violation(operation, earlier))

    def result(self, lost: Iterable[Operation]) -> Violations:
        def ordered(guarantee: str) -> tuple[Violation, ...]:
            return tuple(sorted(self._by_guarantee[guarantee].values(), key=lambda found: found.operation.started))

        return Violations(
            read_your_writes=ordered("read_your_writes"),
            monotonic_reads=ordered("monotonic_reads"),
            monotonic_writes=ordered("monotonic_writes"),
            writes_follow_reads=ordered("writes_follow_reads"),
            lost_writes=tuple(lost),
        )


def _with_preceding(own: Sequence[Operation]) -> Iterator[tuple[list[Operation], Operation]]:
    """Yield each operation of one actor with those that ended since the operation before it began."""
    running: list[tuple[float, int, Operation]] = []
    for number, operation in enumerate(own):
        ended: list[Operation] = []
        while running and running[0][2].precedes(operation):
            ended.append(heapq.heappop(running)[2])
        heapq.heappush(running, (operation.ended, number, operation))
        yield ended, operation


def _follow_writes(own: Sequence[Operation], lasting: dict[int, int], pasts: Pasts, found: _Found) -> None:
    """Check the order of one actor's writes among its operations on the same key, and note what lies behind each."""
    written, read = Floor(), Floor()
    for ended, operation in _with_preceding(own):
        for earlier in ended:
            floor = written if earlier.kind is Kind.WRITE else read
            floor.raise_to(earlier.key, lasting[id(earlier)], earlier)
        if operation.kind is Kind.WRITE:
            # A write makes a new version, so that the same version again is too low.
            below = operation.version - 1
            found.add("monotonic_writes", operation, written.broken_by(operation.key, below))
            found.add("writes_follow_reads", operation, read.broken_by(operation.key, below))
            if lasting[id(operation)] == operation.version:
                pasts.note(operation.key, operation.version, Past(written.copy(), read.copy()))


def _follow_reads(own: Sequence[Operation], lasting: dict[int, int], pasts: Pasts, found: _Found) -> None:
    """Check what one actor was shown."""
    written, shown = Floor(), Floor()
    merged: dict[str, int] = {}
    for ended, operation in _with_preceding(own):
        for earlier in ended:
            version = lasting[id(earlier)]
            if earlier.kind is Kind.WRITE:
                written.raise_to(earlier.key, version, earlier)
                continue
            shown.raise_to(earlier.key, version, earlier)
            if version > merged.get(earlier.key, 0):
                merged[earlier.key] = version
                if past := pasts.behind(earlier.key, version):
                    shown.merge(past.written)
                    shown.merge(past.read)
        if operation.kind is Kind.READ:
            found.add("read_your_writes", operation, written.broken_by(operation.key, operation.version))
            found.add("monotonic_reads", operation, shown.broken_by(operation.key, operation.version))


def _check_answers(
    own: Sequence[Operation], lasting: dict[int, int], pasts: Pasts, found: _Found, unclear: frozenset[str]
) -> None:
    """Check that no answer to one actor shows something without what lies behind it."""
    reads = sorted((o for o in own if o.kind is Kind.READ), key=lambda read: (read.answer, read.step))
    for _, values in groupby(reads, key=lambda read: read.answer):
        pasts_shown: list[tuple[str, Past]] = []
        claimed = Floor()
        for _, step in groupby(values, key=lambda value: value.step):
            snapshot = list(step)
            for value in snapshot:
                if past := pasts.behind(value.key, lasting[id(value)]):
                    pasts_shown.append((value.key, past))
                if value.follows is not None and value.follows[0] not in unclear:
                    claimed.raise_to(*value.follows, value)
            for value in snapshot:
                found.add("writes_follow_reads", value, claimed.broken_by(value.key, value.version))
                for key, past in pasts_shown:
                    # The order of the writes of one key shows at the writes.
                    if key != value.key:
                        found.add("monotonic_writes", value, past.written.broken_by(value.key, value.version))
                        found.add("writes_follow_reads", value, past.read.broken_by(value.key, value.version))
