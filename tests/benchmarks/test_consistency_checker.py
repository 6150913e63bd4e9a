"""The checker finds what is wrong with a history, and nothing in one that is right."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.consistency.checker import Violations, check
from benchmarks.consistency.history import Handover, History, Kind, Operation, Outcome

NONE = {"read_your_writes": 0, "monotonic_reads": 0, "monotonic_writes": 0, "writes_follow_reads": 0}

ACTORS = st.sampled_from(["a", "b", "c"])
KEYS = st.sampled_from(["x", "y", "z"])
STEPS = st.lists(st.tuples(ACTORS, st.sampled_from(Kind), KEYS), max_size=60)


class Recorder:
    """Writes a history down by hand. Each operation begins after the one before it has ended."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._numbers = count(1)

    def write(self, actor: str, key: str, version: int, outcome: Outcome = Outcome.OK) -> Operation:
        return self._add(actor, Kind.WRITE, {key: version}, outcome)[0]

    def read(self, actor: str, key: str, version: int, outcome: Outcome = Outcome.OK) -> Operation:
        return self._add(actor, Kind.READ, {key: version}, outcome)[0]

    def snapshot(self, actor: str, versions: dict[str, int]) -> list[Operation]:
        """One answer from one query."""
        return self._add(actor, Kind.READ, versions, Outcome.OK)

    def queries(self, actor: str, versions: dict[str, int]) -> list[Operation]:
        """One answer from as many queries as keys, in this order."""
        found = self._add(actor, Kind.READ, versions, Outcome.OK)
        self.operations[-len(found) :] = [replace(one, step=step) for step, one in enumerate(found)]
        return self.operations[-len(found) :]

    def change(self, operation: Operation, **fields: Any) -> Operation:
        changed = replace(operation, **fields)
        self.operations[self.operations.index(operation)] = changed
        return changed

    def _add(self, actor: str, kind: Kind, versions: dict[str, int], outcome: Outcome) -> list[Operation]:
        number = next(self._numbers)
        started = float(number)
        added = [
            Operation(actor, kind, key, version, started, started + 0.5, number, outcome)
            for key, version in versions.items()
        ]
        self.operations += added
        return added


def sequential(steps: Iterable[tuple[str, Kind, str]]) -> Recorder:
    """Return the history of a single server without replicas, which does one thing after the other."""
    recorder = Recorder()
    versions: dict[str, int] = defaultdict(int)
    for actor, kind, key in steps:
        if kind is Kind.WRITE:
            versions[key] += 1
            recorder.write(actor, key, versions[key])
        else:
            recorder.read(actor, key, versions[key])
    return recorder


def plant_read_your_writes(recorder: Recorder) -> Operation:
    recorder.write("planter", "p", 1)
    return recorder.read("planter", "p", 0)


def plant_monotonic_reads(recorder: Recorder) -> Operation:
    recorder.write("planter", "p", 1)
    recorder.read("reader", "p", 1)
    return recorder.read("reader", "p", 0)


def plant_monotonic_writes(recorder: Recorder) -> Operation:
    recorder.write("planter", "p", 2)
    return recorder.write("planter", "p", 1)


def plant_monotonic_writes_of_two_keys(recorder: Recorder) -> Operation:
    recorder.write("planter", "p", 1)
    recorder.write("planter", "q", 1)
    return recorder.snapshot("reader", {"p": 0, "q": 1})[0]


def plant_writes_follow_reads(recorder: Recorder) -> Operation:
    recorder.write("other", "p", 5)
    recorder.read("planter", "p", 5)
    return recorder.write("planter", "p", 5)


def plant_writes_follow_reads_of_two_keys(recorder: Recorder) -> Operation:
    recorder.write("other", "p", 1)
    recorder.read("planter", "p", 1)
    recorder.write("planter", "q", 1)
    return recorder.queries("reader", {"q": 1, "p": 0})[1]


PLANTS = [
    ("read_your_writes", plant_read_your_writes),
    ("monotonic_reads", plant_monotonic_reads),
    ("monotonic_writes", plant_monotonic_writes),
    ("monotonic_writes", plant_monotonic_writes_of_two_keys),
    ("writes_follow_reads", plant_writes_follow_reads),
    ("writes_follow_reads", plant_writes_follow_reads_of_two_keys),
]


def operations_of(found: Violations, guarantee: str) -> list[Operation]:
    return [violation.operation for violation in getattr(found, guarantee)]


class TestRightHistories:
    @given(STEPS)
    def test_one_server_breaks_nothing(self, steps: list[tuple[str, Kind, str]]) -> None:
        found = check(sequential(steps).operations)
        assert found.counts() == NONE
        assert found.lost_writes == ()

    @given(STEPS, st.randoms(use_true_random=False))
    def test_the_order_of_recording_does_not_matter(self, steps: list[tuple[str, Kind, str]], chance: Random) -> None:
        operations = sequential(steps).operations
        chance.shuffle(operations)
        assert check(operations).counts() == NONE

    @given(STEPS, st.integers(min_value=0, max_value=60))
    def test_a_replica_that_stands_still_breaks_nothing_for_those_who_only_read_there(
        self, steps: list[tuple[str, Kind, str]], stands_at: int
    ) -> None:
        versions: dict[str, int] = defaultdict(int)
        for _, kind, key in steps[:stands_at]:
            versions[key] += kind is Kind.WRITE
        recorder = sequential(steps)
        for _, _, key in steps:
            recorder.read("reader", key, versions[key])
        recorder.snapshot("reader", dict(versions))
        assert check(recorder.operations).counts() == NONE


class TestPlantedViolations:
    @pytest.mark.parametrize(("guarantee", "plant"), PLANTS)
    @given(before=STEPS, after=STEPS)
    def test_each_is_found_once_and_by_its_name(
        self,
        guarantee: str,
        plant: Callable[[Recorder], Operation],
        before: list[tuple[str, Kind, str]],
        after: list[tuple[str, Kind, str]],
    ) -> None:
        recorder = sequential(before)
        planted = plant(recorder)
        versions: dict[str, int] = defaultdict(int)
        for _, kind, key in [*before, *after]:
            versions[key] += kind is Kind.WRITE
        for actor, _, key in after:
            recorder.read(actor, key, versions[key])
        found = check(recorder.operations)
        assert found.counts() == NONE | {guarantee: 1}
        assert operations_of(found, guarantee) == [planted]

    def test_a_read_below_two_floors_counts_for_both(self) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 1)
        recorder.read("a", "x", 1)
        recorder.read("a", "x", 0)
        assert check(recorder.operations).counts() == NONE | {"read_your_writes": 1, "monotonic_reads": 1}

    def test_writes_in_the_wrong_order_count_once_however_often_they_are_read(self) -> None:
        recorder = Recorder()
        plant_monotonic_writes(recorder)
        recorder.snapshot("reader", {"p": 1, "q": 0})
        assert check(recorder.operations).counts() == NONE | {"monotonic_writes": 1}

    def test_each_stale_read_counts(self) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 3)
        for version in (0, 1, 2, 3):
            recorder.read("a", "x", version)
        assert check(recorder.operations).counts() == NONE | {"read_your_writes": 3}

    def test_a_read_that_is_too_low_names_what_it_contradicts(self) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 1)
        highest = recorder.write("a", "x", 2)
        recorder.read("a", "x", 1)
        assert check(recorder.operations).read_your_writes[0].earlier is highest

    def test_a_later_answer_without_what_lies_behind_an_earlier_one_is_time_going_backwards(self) -> None:
        recorder = Recorder()
        recorder.write("other", "x", 1)
        recorder.read("writer", "x", 1)
        recorder.write("writer", "y", 1)
        recorder.read("reader", "y", 1)
        stale = recorder.read("reader", "x", 0)
        found = check(recorder.operations)
        assert found.counts() == NONE | {"monotonic_reads": 1}
        assert operations_of(found, "monotonic_reads") == [stale]

    def test_a_value_that_says_what_it_follows_is_held_to_it(self) -> None:
        recorder = Recorder()
        value, stale = recorder.queries("reader", {"y": 1, "x": 3})
        recorder.change(value, follows=("x", 4))
        found = check(recorder.operations)
        assert found.counts() == NONE | {"writes_follow_reads": 1}
        assert operations_of(found, "writes_follow_reads") == [stale]

    def test_an_older_version_of_a_key_brings_what_lies_behind_it(self) -> None:
        recorder = Recorder()
        recorder.write("writer", "x", 1)
        recorder.write("writer", "y", 1)
        recorder.write("other", "y", 2)
        recorder.snapshot("reader", {"y": 2, "x": 0})
        assert check(recorder.operations).counts() == NONE | {"monotonic_writes": 1}


class TestWhatProvesNothing:
    @pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.FAILED])
    def test_a_write_without_an_answer(self, outcome: Outcome) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 7, outcome)
        recorder.read("a", "x", 0)
        recorder.write("a", "x", 1)
        recorder.snapshot("b", {"x": 1, "y": 0})
        assert check(recorder.operations).counts() == NONE

    def test_a_read_without_an_answer(self) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 1)
        recorder.read("a", "x", 0, Outcome.FAILED)
        assert check(recorder.operations).counts() == NONE

    def test_a_read_that_overlaps_the_write(self) -> None:
        recorder = Recorder()
        write = recorder.write("a", "x", 1)
        read = recorder.read("a", "x", 0)
        recorder.change(read, started=write.ended)
        assert check(recorder.operations).counts() == NONE

    def test_reads_that_overlap(self) -> None:
        recorder = Recorder()
        first = recorder.read("a", "x", 2)
        second = recorder.read("a", "x", 1)
        recorder.change(first, ended=second.ended)
        assert check(recorder.operations).counts() == NONE

    def test_a_long_operation_hides_nothing_of_the_short_ones_beside_it(self) -> None:
        recorder = Recorder()
        long = recorder.read("a", "y", 0)
        recorder.change(long, ended=100.0)
        recorder.write("a", "x", 1)
        recorder.read("a", "x", 0)
        assert check(recorder.operations).counts() == NONE | {"read_your_writes": 1}

    def test_writes_that_overlap_have_no_order(self) -> None:
        recorder = Recorder()
        first = recorder.write("a", "x", 2)
        second = recorder.write("a", "x", 1)
        recorder.change(first, ended=second.ended)
        assert check(recorder.operations).counts() == NONE

    def test_an_earlier_query_of_an_answer_may_be_older_than_a_later_one(self) -> None:
        recorder = Recorder()
        recorder.write("writer", "x", 1)
        recorder.write("writer", "y", 1)
        recorder.queries("reader", {"x": 0, "y": 1})
        assert check(recorder.operations).counts() == NONE

    def test_what_other_actors_have_seen(self) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 1)
        recorder.read("b", "x", 1)
        recorder.read("c", "x", 0)
        assert check(recorder.operations).counts() == NONE


class TestLostWrites:
    def test_a_promotion_that_loses_a_write_breaks_no_guarantee(self) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 1)
        lost = recorder.write("a", "x", 2)
        seen = recorder.read("a", "x", 2)
        recorder.read("a", "x", 1)
        recorder.write("a", "x", 2)
        recorder.read("a", "x", 2)
        found = check(recorder.operations, [Handover(seen.ended + 0.1, {"x": 1})])
        assert found.counts() == NONE
        assert found.lost_writes == (lost,)

    def test_what_a_promotion_kept_is_still_demanded(self) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 1)
        recorder.write("a", "x", 2)
        recorder.read("a", "x", 0)
        found = check(recorder.operations, [Handover(2.9, {"x": 1})])
        assert found.counts() == NONE | {"read_your_writes": 1}
        assert len(found.lost_writes) == 1

    def test_the_final_state_shows_what_is_missing(self) -> None:
        recorder = Recorder()
        recorder.write("a", "x", 1)
        missing = recorder.write("a", "y", 1)
        recorder.write("b", "y", 2, Outcome.UNKNOWN)
        found = check(recorder.operations, [Handover(float("inf"), {"x": 1})])
        assert found.counts() == NONE
        assert found.lost_writes == (missing,)

    def test_a_value_may_follow_a_version_that_was_lost(self) -> None:
        recorder = Recorder()
        recorder.read("a", "x", 2)
        value, _ = recorder.queries("reader", {"y": 1, "x": 1})
        recorder.change(value, follows=("x", 2))
        assert check(recorder.operations, [Handover(1.9, {"x": 1})]).counts() == NONE


def test_a_history_keeps_what_threads_add() -> None:
    history = History()
    recorder = Recorder()
    recorder.write("a", "x", 1)
    history.add(recorder.operations)
    recorder.read("a", "x", 1)
    history.add(recorder.operations[1:])
    assert history.operations() == tuple(recorder.operations)
