"""What the benchmark of a read's cost makes of its measurements, and the bounds that it holds Readshift to."""

from random import Random
from typing import Any

import pytest

from benchmarks.bounds import missed
from benchmarks.overhead.blocks import Answer, Block, What
from benchmarks.overhead.content import REPLICA, RULES
from benchmarks.overhead.entry import bounds
from benchmarks.overhead.figures import (
    UnsoundError,
    added,
    first_decision,
    microseconds,
    quiet_ratio,
    read_ratio,
    rounded,
)
from benchmarks.overhead.installing import COMPARED, CONSTANT, MULTIDB, NAIVE_WAFFLE, NO_ROUTER
from benchmarks.overhead.queries import per_request
from benchmarks.overhead.results import results
from benchmarks.overhead.rounds import BLOCKS, PAIRS, Findings, decisions_for
from benchmarks.overhead.stack import CONTROL, CREW, own
from benchmarks.systems import OWN

DECISION, FIRST, READ, REQUEST = map(Block, (What.DECISION, What.FIRST, What.READ, What.REQUEST))
GOOD: dict[str, Any] = {
    "ratio_to_multidb": 1.0,
    "read_ratio_to_constant": 1.02,
    "request_us": 50.0,
    "rules_10000_ratio": 1.2,
    "extra_queries_per_request": 0.0,
    "async": {"ratio_to_multidb": 1.0},
}
# What one repetition takes in the run below, in nanoseconds, before what a process adds.
BASE = {What.DECISION: 400.0, What.FIRST: 130_000.0, What.READ: 300_000.0, What.VISIT: 900_000.0, What.REQUEST: 1e5}


def dice() -> Random:
    return Random(0)  # noqa: S311 - a test that is the same each time


def findings(extra: dict[tuple[What, str], float] | None = None, *, aliases: dict[str, str] | None = None) -> Findings:
    """Return what three rounds have found in which each repetition took its base and what is extra."""
    found = Findings()
    for name in CREW:
        alias = frozenset({(aliases or {}).get(name, REPLICA)})
        for block in BLOCKS:
            nanoseconds = BASE[block.what] + (extra or {}).get((block.what, name), 0.0)
            for noise in (-1, 0, 1_000_000):
                found.note(block, name, Answer(nanoseconds + noise, alias))
    for block, names in PAIRS.items():
        took = {name: BASE[block.what] + (extra or {}).get((block.what, name), 0.0) for name in names}
        turn = {name: Answer(took[name], frozenset({REPLICA}), took[name] / 2) for name in names}
        for _ in range(3):
            found.note_turn(block, turn)
    return found


def test_figures_within_their_bounds_miss_nothing() -> None:
    assert missed(bounds(GOOD)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ratio_to_multidb", 1.001),
        ("read_ratio_to_constant", 1.021),
        ("request_us", 50.1),
        ("rules_10000_ratio", 1.201),
        ("extra_queries_per_request", 0.02),
    ],
)
def test_a_missed_bound_is_said(name: str, value: float) -> None:
    (words,) = missed(bounds({**GOOD, name: value}))
    assert words.startswith(f"{name} is {value:g}")


def test_a_view_under_asgi_is_held_to_the_same_bound() -> None:
    assert missed(bounds({**GOOD, "async": {"ratio_to_multidb": 1.5}})) == [
        "async.ratio_to_multidb is 1.5, the bound is at most 1"
    ]


def test_times_are_medians_in_microseconds() -> None:
    took = {(REQUEST, "a"): [5_000.0, 1_000.0, 2_000.0], (FIRST, "a"): [3_500.0]}
    assert microseconds(took, REQUEST, "a") == 2
    assert added([9_000.0, 30_000.0, 5_000.0], [2_000.0, 1_000.0, 4_000.0]) == 7
    assert first_decision(took, "a") == 1.5


def test_reads_are_compared_turn_by_turn() -> None:
    # Each turn is slower than the one before, which says nothing about the ratio.
    constant = [100.0 * turn for turn in range(1, 40)]
    ratio = read_ratio([1.02 * took for took in constant], constant, constant, dice())
    assert ratio.value == pytest.approx(1.02)
    assert (ratio.low, ratio.high) == pytest.approx((1.02, 1.02))


def test_an_interval_holds_the_median_and_two_constants_are_taken_as_one() -> None:
    chance = dice()
    own_reads = [chance.gauss(103, 2) for _ in range(200)]
    ratio = read_ratio(own_reads, [100.0] * 200, [102.0] * 200, chance)
    assert 1.01 < ratio.low < ratio.value < ratio.high < 1.03
    assert ratio.control == pytest.approx(1.02)


def test_the_undisturbed_turns_are_the_quickest_quarter() -> None:
    disturbed = [1_000.0] * 5
    assert quiet_ratio([*[103.0] * 5, *disturbed], [*[100.0] * 5, *disturbed], [*[106.0] * 5, *disturbed]) == 1


def test_figures_keep_four_digits() -> None:
    assert rounded({"a": 1.23456, "b": {"c": [0.00001, 2]}, "d": None}) == {
        "a": 1.2346,
        "b": {"c": [0.0, 2]},
        "d": None,
    }


def test_a_run_has_every_figure() -> None:
    found = results(
        findings(
            {
                (What.DECISION, OWN): 400.0,
                (What.DECISION, own(10_000)): 420.0,
                (What.FIRST, own(10_000)): 15_000.0,
                (What.READ, OWN): 6_000.0,
                (What.REQUEST, OWN): 20_000.0,
                (What.FIRST, OWN): 20_000.0,
            }
        ),
        dice(),
    )
    assert found["decision_us"][OWN] == 0.8
    assert found["ratio_to_multidb"] == 2
    assert found["read_ratio_to_constant"] == pytest.approx(1.02)
    assert found["read_added_cpu_us"] == pytest.approx(3)
    assert found["request_us"] == found["request_sync_us"] == found["async"]["request_us"] == pytest.approx(20)
    # The first decision grew by more than later ones: 45 us instead of 30.
    assert found["rules_10000_ratio"] == 1.5
    assert set(found["rules"]) == {"10", "1000", "10000"}
    assert set(found["decision_us"]) == set(found["first_decision_us"]) == set(COMPARED)
    assert found["left_out_share"] == 0


def test_a_router_that_knows_threads_alone_has_no_figure_under_asgi() -> None:
    found = results(findings(aliases={NAIVE_WAFFLE: "default", NO_ROUTER: "default"}), dice())
    assert found["async"]["decision_us"][NAIVE_WAFFLE] is None
    assert found["async"]["decision_us"][NO_ROUTER] == 0.4
    assert found["async"]["decision_us"][MULTIDB] == 0.4


def test_what_the_primary_answered_is_left_out() -> None:
    found = Findings()
    found.note(READ, OWN, Answer(1.0, frozenset({REPLICA, "default"})))
    found.note(READ, MULTIDB, Answer(2.0, frozenset({"replica2"})))
    turn = {name: Answer(3.0, frozenset({"default" if name == OWN else REPLICA})) for name in PAIRS[READ]}
    found.note_turn(READ, turn)
    assert found.took == {(READ, MULTIDB): [2.0]}
    assert found.pairs == {}
    assert (found.left_out, found.measured) == (2, 5)


def test_a_run_in_which_readshift_seldom_routed_says_nothing() -> None:
    found = findings()
    found.left_out = round(0.11 * found.measured)
    with pytest.raises(UnsoundError, match=f"in {found.left_out} of {found.measured} blocks"):
        results(found, dice())


def test_a_run_in_which_readshift_never_routed_one_kind_of_read_says_nothing() -> None:
    found = findings()
    del found.took[READ, own(1_000)]
    with pytest.raises(UnsoundError, match="Look at whether the standbys keep up"):
        results(found, dice())


def test_queries_of_the_background_are_none_of_a_request() -> None:
    busy = {("replica1", "SELECT article"): 500, ("primary", "SELECT pg_current_wal"): 12, ("primary", "SET x"): 500}
    idle = {("primary", "SELECT pg_current_wal"): 9, ("primary", "SELECT policy"): 2}
    assert per_request(busy, idle, 500) == 2
    assert per_request({**busy, ("primary", "SET x"): 10}, idle, 500) == 1.02
    assert per_request({**busy, ("primary", "SET x"): 9}, idle, 500) == 1


def test_what_is_quick_is_repeated_more_often() -> None:
    assert decisions_for(400) == 5_000
    assert decisions_for(1) == 10_000
    assert decisions_for(1_000_000) == 40


def test_there_is_a_process_for_each_system_and_each_number_of_rules() -> None:
    assert set(COMPARED) < set(CREW)
    assert CREW[CONTROL] == CREW[CONSTANT]
    assert {rules for system, rules in CREW.values() if system == OWN} == set(RULES)
