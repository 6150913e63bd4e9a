"""What is said of the kill switch, the processes, the cache, the pools, and the work in the background."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from django.core import checks

from admin_ui.readiness.background import ask_broker, judge_housekeeping
from admin_ui.readiness.findings import Verdict
from admin_ui.readiness.operations import judge_cache, judge_kill_switch, judge_pools, judge_processes
from rollout.options import Cluster, Replica
from rollout.propagation import Laggard, Propagation

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("is_on", "is_enabled", "verdict"),
    [
        (True, True, Verdict.PASS),
        (False, True, Verdict.ATTENTION),
        (None, True, Verdict.FAIL),
        (True, False, Verdict.ATTENTION),
    ],
)
def test_the_kill_switch(is_on: bool | None, is_enabled: bool, verdict: Verdict) -> None:
    assert judge_kill_switch(is_on, is_enabled=is_enabled).verdict is verdict


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        (Propagation(3, 0, 0), Verdict.UNKNOWN, "no process"),
        (Propagation(3, 2, 2), Verdict.PASS, "2 of 2 on revision 3"),
        (Propagation(3, 2, 1, (Laggard("gunicorn 7 on web1", 2),)), Verdict.ATTENTION, "1 of 2 on revision 3"),
    ],
)
def test_processes(found: Propagation, verdict: Verdict, words: str) -> None:
    judged = judge_processes(found)
    assert (judged.verdict, judged.fact) == (verdict, words)
    assert ("gunicorn 7 on web1 (revision 2)" in judged.next_step) == bool(found.behind)


def test_the_cache_is_as_the_system_checks_say() -> None:
    assert judge_cache("default", []).verdict is Verdict.PASS
    warning, error = checks.Warning("keeps it to itself", hint="Share it."), checks.Error("is not in CACHES")
    found = judge_cache("default", [warning])
    assert (found.verdict, found.fact, found.next_step) == (Verdict.ATTENTION, "keeps it to itself", "Share it.")
    assert judge_cache("default", [error]).verdict is Verdict.FAIL


def pools(loads: dict[str, float], drained: set[str], *, capacity: float | None) -> dict[str, tuple[Verdict, str]]:
    cluster = Cluster("default", tuple(Replica(f"replica{number}", capacity=capacity) for number in (1, 2)))
    return {found.id: (found.verdict, found.fact) for found in judge_pools(cluster, loads, drained)}


def test_a_pool_that_could_lose_its_busiest_replica() -> None:
    assert pools({"replica1": 40, "replica2": 40}, set(), capacity=100) == {
        "capacity": (
            Verdict.PASS,
            "Without replica1, replica2 would serve 80 of the 100 reads a second that can be carried.",
        ),
        "drained": (Verdict.PASS, "none"),
    }


def test_a_pool_that_could_not() -> None:
    verdict, fact = pools({"replica1": 60, "replica2": 60}, set(), capacity=100)["capacity"]
    assert verdict is Verdict.ATTENTION
    assert fact.startswith("If replica1 goes, replica2 would serve 120 reads a second, and it can carry 100: 20 are")
    assert fact.endswith("missing. Add a replica.")


def test_without_a_stated_capacity_it_is_not_known() -> None:
    assert pools({}, set(), capacity=None)["capacity"][0] is Verdict.UNKNOWN


def test_drained_replicas_carry_nothing() -> None:
    found = pools({"replica1": 40}, {"replica2"}, capacity=100)
    assert (found["capacity"][0], found["drained"]) == (Verdict.ATTENTION, (Verdict.ATTENTION, "replica2 is drained"))
    assert pools({}, {"replica1", "replica2"}, capacity=100)["capacity"][0] is Verdict.FAIL


@pytest.mark.parametrize(
    ("minutes", "has_merged", "verdict"),
    [
        (None, False, Verdict.UNKNOWN),
        (5, False, Verdict.UNKNOWN),
        (5, True, Verdict.PASS),
        (None, True, Verdict.PASS),
        (20, True, Verdict.ATTENTION),
    ],
)
def test_housekeeping(minutes: int | None, has_merged: bool, verdict: Verdict) -> None:
    oldest = None if minutes is None else NOW - timedelta(minutes=minutes)
    assert judge_housekeeping(NOW, oldest, has_merged=has_merged).verdict is verdict


def test_a_broker_that_answers_and_one_that_refuses() -> None:
    assert ask_broker(Celery(broker="memory://", set_as_current=False)).verdict is Verdict.PASS
    found = ask_broker(Celery(broker="redis://127.0.0.1:1", set_as_current=False), seconds=1)
    assert (found.verdict, "refused" in found.fact) == (Verdict.ATTENTION, True)
