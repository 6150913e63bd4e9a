"""How the standings of replicas are put into words, and which replica is the last of its pool."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from admin_ui.drawing.figures import duration, size
from admin_ui.replicas.board import Board, State
from admin_ui.replicas.standings import FIT_BUT_DRAINED, SILENT, board
from rollout.models import DrainedReplica
from rollout.options import Cluster, Replica, Settings
from routers.health import Fitness, Standing
from routers.lag import Lag, LagState
from routers.primaries import Condition, PrimaryStanding

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CLOCK = 1000.0
CURRENT = Lag(LagState.CURRENT, 0.2, 0)
FIT = Standing(Fitness.FIT, since=CLOCK - 12, seen_at=CLOCK, lag=CURRENT)
DEAD = Standing(Fitness.UNREACHABLE, since=CLOCK - 200, seen_at=CLOCK, detail="refused")
NEVER_ASKED = Standing()
SERVING = PrimaryStanding(Condition.SERVING, since=CLOCK - 200, seen_at=CLOCK)


def seen(
    one: Standing,
    two: Standing = FIT,
    *drained: DrainedReplica,
    others: tuple[Replica, ...] = (Replica("two"),),
    primary: PrimaryStanding = SERVING,
) -> Board:
    """Return the board of a process that sees the replicas “one” and “two” like this."""
    return board(
        Settings(clusters={"main": Cluster("main", (Replica("one"), *others))}),
        {"one": one, "two": two},
        {"main": primary},
        drained,
        monotonic_now=CLOCK,
        now=NOW,
        process="process 7",
        note="",
    )


def drained(alias: str = "one", by: str = "kim", reason: str = "New disk.") -> DrainedReplica:
    return DrainedReplica(alias=alias, drained_by=by, reason=reason, drained_at=NOW - timedelta(minutes=3))


@pytest.mark.parametrize(
    ("standing", "state", "words", "since"),
    [
        pytest.param(FIT, State.SERVES, "serves reads", "for 12 s", id="fit"),
        pytest.param(DEAD, State.OUT, Fitness.UNREACHABLE.words, "not serving for 3 min", id="dead"),
        pytest.param(NEVER_ASKED, State.UNKNOWN, "has not been asked yet", "", id="never asked"),
        pytest.param(
            replace(FIT, seen_at=CLOCK - 30), State.OUT, SILENT, "last heard of 30 s ago", id="fit, and silent since"
        ),
        pytest.param(replace(FIT, since=CLOCK), State.SERVES, "serves reads", "for less than 1 s", id="just now"),
    ],
)
def test_how_a_replica_stands(standing: Standing, state: State, words: str, since: str) -> None:
    row = seen(standing).rows[0]
    assert (row.state, row.words, row.since) == (state, words, since)
    assert row.detail == standing.detail


@pytest.mark.parametrize("fitness", set(Fitness) - {Fitness.FIT})
def test_every_fitness_but_one_does_not_serve_and_is_a_problem(fitness: Fitness) -> None:
    found = seen(Standing(fitness, since=CLOCK, seen_at=CLOCK))
    assert found.rows[0].state is State.OUT
    assert found.problems == (
        f"The replica “one” does not serve, as the process that shows this page sees it: it {fitness.words}.",
    )


@pytest.mark.parametrize(
    ("lag", "words"),
    [
        (CURRENT, "none. It shows all that the primary had when last asked"),
        (Lag(LagState.KNOWN, 2.34, 12_345), "at most 2.3 s, 12 kB of the log to replay"),
        (Lag(LagState.UNKNOWN, bytes=3 * 1024**2), "unknown, 3 MB of the log to replay"),
        (Lag(LagState.UNKNOWN), "unknown"),
    ],
)
def test_lag_is_known_current_or_unknown(lag: Lag, words: str) -> None:
    assert seen(replace(FIT, lag=lag)).rows[0].lag == words


def test_the_lag_of_a_replica_that_is_silent_or_was_never_asked_is_unknown() -> None:
    assert {row.lag for row in seen(replace(FIT, seen_at=CLOCK - 30), NEVER_ASKED).rows} == {"unknown"}


@pytest.mark.parametrize(
    ("one", "two", "last"),
    [
        pytest.param(FIT, FIT, [], id="both serve"),
        pytest.param(FIT, DEAD, ["one"], id="the other is dead"),
        pytest.param(DEAD, DEAD, [], id="none serves"),
        pytest.param(FIT, NEVER_ASKED, [], id="the other may be fit"),
        pytest.param(NEVER_ASKED, DEAD, ["one"], id="it may be fit and the other is not"),
    ],
)
def test_the_last_of_a_pool(one: Standing, two: Standing, last: list[str]) -> None:
    assert [row.alias for row in seen(one, two).rows if row.is_last] == last


def test_a_replica_in_another_pool_or_without_weight_or_drained_is_no_company() -> None:
    for found in (
        seen(FIT, FIT, others=(Replica("two", pool="reports"),)),
        seen(FIT, FIT, others=(Replica("two", weight=0),)),
        seen(FIT, FIT, drained("two")),
    ):
        row = found.rows[0]
        assert row.is_last
        assert (
            row.cost
            == "It alone serves the pool “default”. While it is drained, the reads of that pool go to the primary."
        )
    assert seen(FIT, FIT).rows[0].cost == ""


def test_a_pool_of_which_no_replica_serves_is_a_problem() -> None:
    found = seen(DEAD, FIT, drained("two"), others=(Replica("two", pool="reports"),))
    assert found.problems[1:] == (
        "No replica of the pool “default” serves, so its reads fall back to the primary “main”.",
        "No replica of the pool “reports” serves, so its reads fall back to the primary “main”.",
    )
    assert seen(FIT, FIT, others=(Replica("two", pool="reports"),)).problems == ()
    assert seen(NEVER_ASKED, NEVER_ASKED).problems == ()


def test_a_drained_replica_is_named_with_who_and_why_and_is_no_problem_by_itself() -> None:
    found = seen(FIT, FIT, drained())
    assert found.problems == ()
    assert found.notes == (
        "The replica “one” is drained by kim (“New disk.”): it serves no reads until somebody lets it serve again.",
    )
    row = found.rows[0]
    assert row.drain is not None
    assert (row.drain.lasts, row.words) == ("3 min", FIT_BUT_DRAINED)
    assert not row.may_serve


def test_a_drained_replica_that_is_dead_is_not_reported_twice() -> None:
    found = seen(DEAD, FIT, drained(by="", reason=""))
    assert found.problems == ()
    assert found.notes[0].startswith("The replica “one” is drained: it serves no reads")
    assert found.rows[0].words == Fitness.UNREACHABLE.words


def test_a_drained_alias_that_is_no_replica_any_more_stands_apart() -> None:
    found = seen(FIT, FIT, drained("gone"))
    assert [drain.alias for drain in found.strays] == ["gone"]
    assert found.notes == ()


def test_elements_have_names_of_their_own_whatever_the_alias() -> None:
    one, two = seen(FIT).rows
    assert one.key != two.key
    assert replace(one, alias='a "quoted" alias').key.isalnum()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than 1 s"),
        (1, "1 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 days"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 kB"), (1024**2, "1 MB"), (5 * 1024**4, "5 TB")]
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_a_primary_that_is_not_well_is_a_problem() -> None:
    (problem,) = seen(FIT, primary=PrimaryStanding(Condition.DEMOTED)).problems
    assert problem == (
        "The primary “main” is a standby: after a failover, let the alias lead to the server that was promoted."
    )
    assert seen(FIT, primary=PrimaryStanding()).problems == ()


def test_a_failover_is_noted() -> None:
    moved = PrimaryStanding(Condition.SERVING, moved="it is on timeline 2, was on 1")
    found = seen(FIT, primary=moved)
    assert (found.problems, found.notes) == (
        (),
        ("The primary “main” was failed over: it is on timeline 2, was on 1.",),
    )
