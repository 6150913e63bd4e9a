"""What the strip says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from admin_ui.overview.status import Level, Status, assess
from admin_ui.replicas.board import Board, ClusterRow, Drain, ReplicaRow, State
from rollout.models import GateKind, Mode, TargetKind
from rollout.options import Settings
from rollout.policy import Rule, compile_policy
from rollout.reasons import Reason
from routers.health import Fitness

NO_REPLICAS = Board(process="", note="", clusters=(), strays=())
ROUTED = Rule(TargetKind.ENDPOINT, "names", Mode.ROUTE)


def status(
    *rules: Rule,
    kill_switch: bool | None = True,
    enabled: bool = True,
    problems: list[str] | None = None,
    reason: str = "",
    board: Board = NO_REPLICAS,
) -> Status:
    policy = compile_policy(1, kill_switch, rules)
    return assess(Settings(enabled=enabled), policy, problems or [], [reason], board)


def test_healthy_counts_the_rules_by_mode() -> None:
    found = status(ROUTED)
    assert found.level is Level.HEALTHY
    assert found.details == ("1 rule: 1 in mode route, 0 in mode observe, 0 in mode pin.",)


def test_no_rule_says_what_to_do_first() -> None:
    found = status()
    assert found.level is Level.NOTICE
    assert "mode observe" in found.details[0]


@pytest.mark.parametrize(("kill_switch", "words"), [(False, "is off"), (None, "is missing")])
def test_a_kill_switch_that_is_off_or_missing_comes_first(kill_switch: bool | None, words: str) -> None:
    found = status(ROUTED, kill_switch=kill_switch, problems=[])
    assert found.level is Level.CRITICAL
    assert words in found.details[0]


def test_routing_switched_off_in_the_settings_is_named() -> None:
    assert "settings" in status(ROUTED, enabled=False).headline


def test_problems_are_counted_once_each() -> None:
    gone = Rule(TargetKind.ENDPOINT, "names", Mode.ROUTE, GateKind.FLAG, "gone")
    problem = compile_policy(1, True, [gone]).problems[0]
    found = status(gone, problems=[problem])
    assert (found.level, found.details) == (Level.WARNING, (problem,))
    assert "one thing" in found.headline
    assert "2 things" in status(gone, problems=["Another."]).headline


def board(*, fitness: Fitness = Fitness.FIT, drained: bool = False) -> Board:
    """Return a board of a replica that stands like this, beside one that is fit."""
    fit = ReplicaRow("two", "default", 1, State.SERVES, "serves reads", "", "", "", drain=None)
    drain = Drain("one", "kim", "", datetime(2026, 11, 25, tzinfo=UTC), "3 min") if drained else None
    state = State.SERVES if fitness is Fitness.FIT else State.OUT
    one = ReplicaRow("one", "default", 1, state, fitness.words, "", "", "", drain=drain)
    return Board("", "", (ClusterRow("default", (one, fit)),), ())


def test_a_replica_that_does_not_serve_needs_attention_and_is_named_with_the_reason() -> None:
    found = status(ROUTED, board=board(fitness=Fitness.UNREACHABLE))
    assert found.level is Level.WARNING
    assert "“one” does not serve" in found.details[0]
    assert Fitness.UNREACHABLE.words in found.details[0]


def test_a_drained_replica_is_named_and_needs_no_attention() -> None:
    found = status(ROUTED, board=board(drained=True))
    assert found.level is Level.HEALTHY
    assert "“one” is drained by kim" in found.details[-1]
    assert "“one” is drained by kim" in status(board=board(drained=True)).details[-1]
    assert "“one” is drained by kim" in status(ROUTED, board=board(drained=True), problems=["Other."]).details[-1]


def test_the_wording_does_not_change_while_nothing_else_does() -> None:
    first, later = (
        replace(one, clusters=(ClusterRow("default", tuple(replace(row, since=since) for row in one.rows)),))
        for one, since in ((board(fitness=Fitness.LAGGING), "for 3 s"), (board(fitness=Fitness.LAGGING), "for 6 s"))
    )
    assert status(ROUTED, board=first).digest == status(ROUTED, board=later).digest


def test_reads_that_readshift_itself_failed_are_a_warning() -> None:
    found = status(ROUTED, reason=Reason.ROUTER_ERROR)
    assert found.level is Level.WARNING
    assert Reason.ROUTER_ERROR.label in found.details[0]


def test_the_digest_changes_with_the_words_only() -> None:
    assert status(ROUTED).digest == status(ROUTED).digest
    assert status(ROUTED).digest != status().digest
