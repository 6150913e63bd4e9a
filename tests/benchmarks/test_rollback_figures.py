"""What the rollback benchmark makes of what it saw."""

from typing import Any

import pytest

from benchmarks.bounds import missed
from benchmarks.rollback.entry import bounds
from benchmarks.rollback.figures import Figures, Rollback

EVENT = {"why": "lag: 6 s, the limit is 5 s"}


def figures(*seconds: float | None, **event: Any) -> Figures:
    rollbacks = [Rollback(f"fault{number}", each, 10, 25.0, event or EVENT) for number, each in enumerate(seconds, 1)]
    return Figures(rollbacks)


def test_the_slowest_rollback_counts_and_all_reads_do() -> None:
    result = figures(3.5, 7.25).as_json()
    assert (result["seconds_fault_to_rollback"], result["users_affected_reads"]) == (7.25, 20)
    assert result["faults"]["fault2"]["event"] == EVENT
    assert missed(bounds(figures(3.5, 15.0).as_json())) == []


@pytest.mark.parametrize(
    ("seconds", "event", "words"),
    [
        (15.1, {}, "faults.fault1.seconds_fault_to_rollback is 15.1, the bound is at most 15"),
        (None, {}, "faults.fault1.seconds_fault_to_rollback is null, the bound is at most 15"),
        (5.0, {"why": ""}, "events of fault1 that say why is 0, the bound is at least 1"),
    ],
)
def test_each_bound_is_told_when_it_is_missed(seconds: float | None, event: dict[str, Any], words: str) -> None:
    assert missed(bounds(figures(seconds, **event).as_json())) == [words]


def test_one_that_was_not_taken_back_leaves_no_time_to_tell() -> None:
    assert figures(3.0, None).as_json()["seconds_fault_to_rollback"] is None
