"""The numbers of the failover benchmark follow from what was planted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.failover.attempts import Attempt, Kind
from benchmarks.failover.figures import figures_of
from benchmarks.failover.history import Kind as RequestKind
from benchmarks.failover.history import Request
from benchmarks.failover.measures import (
    Window,
    percentile,
    primary_peak_ratio,
    seconds_to_eject,
    seconds_to_return,
)

FAULT = Window(100.0, 112.0)
VICTIM = ["replica1"]


def attempt(
    begun: float, took: float = 0.01, *, alias: str = "replica1", kind: Kind = Kind.STATEMENT, is_ok: bool = True
) -> Attempt:
    return Attempt(alias, kind, begun, begun + took, is_ok)


def read(started: float, *servers: str, took: float = 0.01, status: int = 200, is_shed: bool = False) -> Request:
    return Request(RequestKind.READ, started, started + took, status, frozenset(servers), is_shed)


class TestPercentile:
    @pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
    def test_it_is_one_of_the_values(self, share: float, expected: float) -> None:
        assert percentile(range(1, 101), share) == expected

    def test_nothing_has_none(self) -> None:
        assert percentile([], 0.5) is None

    @given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(min_value=0, max_value=1))
    def test_at_least_the_share_lies_at_or_below_it(self, values: list[float], share: float) -> None:
        found = percentile(values, share)
        assert found is not None
        assert sum(value <= found for value in values) >= share * len(values)


class TestSecondsToEject:
    def test_the_last_attempt_within_the_fault_counts_until_it_ends(self) -> None:
        attempts = [attempt(99.0), attempt(100.5, took=0.3, is_ok=False), attempt(113.0)]
        assert seconds_to_eject(attempts, VICTIM, FAULT) == pytest.approx(0.8)

    def test_a_server_that_is_left_alone_was_left_at_once(self) -> None:
        attempts = [attempt(99.0), attempt(105.0, alias="replica2"), attempt(112.5)]
        assert seconds_to_eject(attempts, VICTIM, FAULT) == 0

    def test_an_attempt_from_before_the_fault_that_hangs_is_one_within_it(self) -> None:
        assert seconds_to_eject([attempt(99.9, took=2.1)], VICTIM, FAULT) == pytest.approx(2.0)

    @pytest.mark.parametrize(
        "attempts",
        [
            [attempt(100.0 + number / 10) for number in range(120)],
            [attempt(100.1, took=11.95)],
            [Attempt("replica1", Kind.CONNECT, 100.1)],
        ],
    )
    def test_attempts_until_the_end_are_no_ejection(self, attempts: list[Attempt]) -> None:
        assert seconds_to_eject(attempts, VICTIM, FAULT) is None

    def test_the_end_of_a_short_fault_is_short(self) -> None:
        assert seconds_to_eject([attempt(100.4, took=0)], VICTIM, Window(100.0, 101.0)) == pytest.approx(0.4)
        assert seconds_to_eject([attempt(100.8, took=0)], VICTIM, Window(100.0, 101.0)) is None

    def test_of_several_servers_the_last_attempt_at_any_counts(self) -> None:
        attempts = [attempt(100.1, took=0), attempt(101.0, took=0, alias="replica2")]
        assert seconds_to_eject(attempts, ["replica1", "replica2"], FAULT) == pytest.approx(1.0)


class TestSecondsToReturn:
    def test_the_first_answer_to_a_statement_counts(self) -> None:
        attempts = [
            attempt(111.0, took=2.0),
            attempt(112.5, is_ok=False),
            attempt(112.6, kind=Kind.CONNECT),
            attempt(112.7, alias="replica2"),
            attempt(116.0, took=0.5),
            attempt(115.0, took=0.5),
        ]
        assert seconds_to_return(attempts, VICTIM, FAULT.end) == pytest.approx(3.5)

    def test_a_server_that_answers_nothing_has_not_returned(self) -> None:
        assert seconds_to_return([attempt(113.0, is_ok=False)], VICTIM, FAULT.end) is None

    def test_of_several_servers_the_last_to_return_counts(self) -> None:
        both = ["replica1", "replica2"]
        attempts = [attempt(113.0, took=0)]
        assert seconds_to_return(attempts, both, FAULT.end) is None
        attempts.append(attempt(114.0, took=0, alias="replica2"))
        assert seconds_to_return(attempts, both, FAULT.end) == pytest.approx(2.0)


class TestPrimaryPeakRatio:
    def test_the_worst_second_counts_wherever_it_begins(self) -> None:
        worst = [read(103.5 + number / 20, "default") for number in range(20)]
        others = [read(100 + number / 20, "replica2") for number in range(240) if not 70 <= number < 90]
        assert primary_peak_ratio(worst + others, FAULT) == 1.0

    def test_what_the_primary_had_a_part_in_counts(self) -> None:
        reads = [read(100 + number / 20, "replica2", *["default"] * (number % 4 == 0)) for number in range(240)]
        assert primary_peak_ratio(reads, FAULT) == pytest.approx(0.25)

    def test_reads_that_failed_are_reads(self) -> None:
        reads = [read(105 + number / 20, "default") for number in range(10)]
        reads += [read(105.5 + number / 20, status=500) for number in range(10)]
        assert primary_peak_ratio(reads, FAULT) == pytest.approx(10 / 20)
        assert primary_peak_ratio(reads, Window(105.0, 105.8)) == pytest.approx(10 / 16)

    def test_a_second_with_few_reads_says_nothing(self) -> None:
        reads = [read(100 + number / 20, "replica2") for number in range(100)] + [read(110.0, "default")]
        assert primary_peak_ratio(reads, FAULT) == 0

    def test_what_lies_outside_the_fault_does_not_count(self) -> None:
        assert primary_peak_ratio([read(99.0, "default")], FAULT) is None
        assert primary_peak_ratio([read(99.0, "default"), read(100.0, "replica2")], FAULT) == 0


class TestFigures:
    def test_each_kind_of_request_is_counted_apart(self) -> None:
        requests = [
            read(99.0, "replica1", took=9.0),
            read(101.0, "default"),
            read(102.0, took=20.0, status=0),
            read(103.0, status=503, is_shed=True),
            read(114.9, "replica1", "replica2", took=3.0),
            read(115.1, "replica1", took=9.0),
            Request(RequestKind.STRICT, 101.0, 101.1, 200, frozenset({"default"})),
            Request(RequestKind.STRICT, 102.0, 102.1, 200, frozenset({"replica1"})),
            Request(RequestKind.STRICT, 103.0, 103.1, 500),
            Request(RequestKind.WRITE, 101.0, 109.0, 200),
            Request(RequestKind.WRITE, 101.0, 101.1, 500),
        ]
        found = figures_of(requests, [attempt(101.0, took=0)], VICTIM, FAULT)
        assert (found.reads, found.failed, found.shed) == (6, 1, 1)
        assert (found.strict, found.strict_failed, found.writes, found.writes_failed) == (3, 2, 2, 1)
        assert found.max_ms == pytest.approx(20_000)
        assert found.pages_by_server == {"default": 1, "replica1": 3, "replica2": 1}
        assert found.as_json()["seconds_to_eject"] == 1.0
        assert found.as_json()["seconds_to_return"] is None

    def test_nothing_that_was_asked_has_no_times(self) -> None:
        found = figures_of([], [], VICTIM, FAULT)
        assert (found.reads, found.p50_ms, found.max_ms, found.primary_peak_ratio) == (0, None, None, None)
