"""Whether a replica is fit to serve, and why not. Pure: findings in, states out."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from routers.lag import UNKNOWN_LAG, History, Lag, LagState
from routers.positions import Position


class Fitness(StrEnum):
    """What is said about a replica. Only FIT serves reads."""

    FIT = "fit"
    UNTRUSTED = "untrusted"
    UNREACHABLE = "unreachable"
    UNRESPONSIVE = "unresponsive"
    STARTING = "starting"
    NOT_A_STANDBY = "not_a_standby"
    OTHER_CLUSTER = "other_cluster"
    OTHER_TIMELINE = "other_timeline"
    LAG_UNKNOWN = "lag_unknown"
    LAGGING = "lagging"
    SLOW = "slow"
    RECOVERING = "recovering"

    @property
    def words(self) -> str:
        """What it means, for a person."""
        return _WORDS[self]


_WORDS = {
    Fitness.FIT: "serves reads",
    Fitness.UNTRUSTED: "has not been asked yet",
    Fitness.UNREACHABLE: "refuses connections or broke them",
    Fitness.UNRESPONSIVE: "does not answer: it hangs, or the network swallows what is sent",
    Fitness.STARTING: "is starting up or shutting down",
    Fitness.NOT_A_STANDBY: "is no standby: it was promoted, or the alias leads to a primary",
    Fitness.OTHER_CLUSTER: "belongs to another cluster than its primary",
    Fitness.OTHER_TIMELINE: "follows another timeline than its primary",
    Fitness.LAG_UNKNOWN: "is behind by an unknown time",
    Fitness.LAGGING: "is too far behind",
    Fitness.SLOW: "answers too slowly",
    Fitness.RECOVERING: "answers again and has to catch up first",
}

_SERVING = frozenset({Fitness.FIT, Fitness.LAG_UNKNOWN, Fitness.LAGGING, Fitness.SLOW, Fitness.RECOVERING})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe found out. at: the monotonic time before it asked. error: why it got no answer.

    is_silent: no answer came in time, and no refusal either. is_starting: it said that it is starting up or shutting
    down. is_receiving: whether the WAL receiver runs; a standby may also read an archive. received: up to which byte it
    has received, if it has from a primary. unflushed: how many bytes a primary has yet to write out, and so to send.
    clock: the server's own time
    in microseconds since the epoch, before it looked. took: how many seconds the answer took, connecting not counted;
    without an answer, the whole attempt.
    is_told: no probe found it out, but a read of this process that failed.
    slack: another process asked, and did so by up to this many seconds later than at.
    silent_for: for how many seconds the server had given no answer, by the clock of the process that asked, or None
    where that is not known.
    """

    at: float
    error: str = ""
    is_silent: bool = False
    is_starting: bool = False
    is_standby: bool = False
    position: Position | None = None
    is_receiving: bool | None = None
    received: int | None = None
    unflushed: int = 0
    clock: int = 0
    took: float = 0.0
    is_told: bool = False
    slack: float = 0.0
    silent_for: float | None = None

    @property
    def ended_at(self) -> float:
        return self.at + self.took

    @property
    def asked_by(self) -> float:
        """The time by which the question had been asked."""
        return self.at + self.slack

    def silence_since(self, seen_at: float) -> float:
        """Return for how many seconds the server has given no answer, if its last one is of this time."""
        return self.ended_at - seen_at if self.silent_for is None else self.silent_for


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds. greatest_lag: ejects. return_lag: what lets it back in. shortest_ejection: stops flapping.

    longest_silence: how long a server may give no answer. One question that goes unanswered ejects nobody: this process
    may be the one that is slow. longest_trust: how long a finding counts, which is longer where processes hear of it
    from another. slow_answer: two answers in a row that take longer eject, unless all servers are that slow.
    """

    greatest_lag: float
    return_lag: float
    shortest_ejection: float
    longest_silence: float
    longest_trust: float
    slow_answer: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a replica stands. since: when it began to be fit, or unfit, on the monotonic clock. seen_at: the last probe.

    detail: the words of the last error. ejected_at: when it last ceased to be fit, on the monotonic clock.
    owes: the monotonic time up to which it must show everything before it serves again.
    gone_since: from when on no process reads from it, because its fault is one that all of them find out; infinite
    for all others.
    took: how many seconds the last answer took.
    """

    fitness: Fitness = Fitness.UNTRUSTED
    since: float = -math.inf
    seen_at: float = -math.inf
    lag: Lag = UNKNOWN_LAG
    position: Position | None = None
    is_receiving: bool | None = None
    detail: str = ""
    ejected_at: float = -math.inf
    owes: float = -math.inf
    gone_since: float = math.inf
    took: float = 0.0

    @property
    def shows_since(self) -> float:
        """The monotonic time up to which it is known to show everything."""
        return self.seen_at - self.lag.seconds if self.lag.seconds is not None else -math.inf

    def is_fit(self, now: float, longest_trust: float) -> bool:
        """Say whether it may serve. What was found too long ago is not known: a prober may hang with its server."""
        return self.fitness is Fitness.FIT and now - self.seen_at <= longest_trust

    def is_serving(self, now: float, longest_trust: float) -> bool:
        """Say whether it answers as a standby of its primary, however far behind it is."""
        return self.fitness in _SERVING and now - self.seen_at <= longest_trust

    def is_gone(self, now: float, longest_trust: float) -> bool:
        """Say whether others may stand in for it, since nobody reads from it any more.

        While a network is cut for this process alone, others read on, and a replica that stands in here may be behind
        what they have shown. A prober that all processes share knows no such difference.
        """
        return self.gone_since <= now <= self.seen_at + longest_trust


def judge(
    before: Standing,
    finding: Finding,
    primary: History,
    limits: Limits,
    *,
    quickest: float = 0.0,
    until: float | None = None,
) -> Standing:
    """Return how a replica stands after a finding.

    quickest: how many seconds the quickest of the other servers took to answer. until: the time up to which there can
    be anything to replay, which is the finding's own unless the primary is down.

    A replica starts untrusted and is fit after its first good finding. One that was ejected stays out for a while, must
    catch up below the lower of two limits, and must show all that there was when it was ejected: a server that was
    killed may come back older than what it has shown before. If others may have stood in for it, it must show all that
    there was when the last of them stopped.
    """
    has_answered = finding.silence_since(before.seen_at) <= limits.longest_silence
    if finding.is_silent and before.fitness is Fitness.FIT and has_answered:
        return replace(before, detail=finding.error)
    until = finding.at if until is None else until
    lag = primary.lag_of(finding.position, until) if finding.position is not None else UNKNOWN_LAG
    is_slow = min(finding.took, before.took) > limits.slow_answer > 2 * quickest
    fault = _fault(finding, primary, lag, limits) or (Fitness.SLOW if is_slow else None)
    is_out_for_all = fault is not None and _is_for_all(fault, lag, primary, until, limits, slack=finding.slack)
    # Other processes find out, or have heard nothing for too long, within this time.
    settled_at = finding.asked_by + limits.longest_trust
    if before.gone_since < math.inf and not is_out_for_all:
        before = replace(before, owes=settled_at)
    fitness = fault or _recovery(before, finding, lag, limits)
    has_turned = (fitness is Fitness.FIT) != (before.fitness is Fitness.FIT) or before.fitness is Fitness.UNTRUSTED
    is_ejected = before.fitness is Fitness.FIT and fitness is not Fitness.FIT
    gone_since = math.inf
    if is_out_for_all:
        # A read may have failed for a reason of its own, which the next probe will tell.
        gone_since = before.gone_since if finding.is_told else min(before.gone_since, settled_at)
    return Standing(
        fitness=fitness,
        since=finding.at if has_turned else before.since,
        seen_at=finding.at,
        lag=lag,
        position=finding.position or before.position,
        is_receiving=finding.is_receiving,
        detail=_detail(finding, fitness),
        took=finding.took,
        ejected_at=finding.at if is_ejected else before.ejected_at,
        owes=finding.asked_by if is_ejected else before.owes,
        gone_since=gone_since,
    )


def _fault(finding: Finding, primary: History, lag: Lag, limits: Limits) -> Fitness | None:
    """Return what keeps the server from serving at all, or None. The first that applies is the one to name."""
    here = finding.position
    there = primary.latest.position if primary.latest else None
    # A current replica of a primary that no longer answers lacks nothing that is known to exist, however old that is.
    is_lagging = lag.state is LagState.KNOWN and (lag.seconds or 0.0) + finding.slack > limits.greatest_lag
    faults = (
        (finding.is_silent, Fitness.UNRESPONSIVE),
        (finding.is_starting, Fitness.STARTING),
        (bool(finding.error) or here is None, Fitness.UNREACHABLE),
        (not finding.is_standby, Fitness.NOT_A_STANDBY),
        (there is not None and here is not None and there.system != here.system, Fitness.OTHER_CLUSTER),
        (there is not None and here is not None and there.timeline != here.timeline, Fitness.OTHER_TIMELINE),
        (lag.state is LagState.UNKNOWN, Fitness.LAG_UNKNOWN),
        (is_lagging, Fitness.LAGGING),
    )
    return next((fault for applies, fault in faults if applies), None)


_FOR_ALL = frozenset(
    {
        Fitness.UNREACHABLE,
        Fitness.UNRESPONSIVE,
        Fitness.STARTING,
        Fitness.NOT_A_STANDBY,
        Fitness.OTHER_CLUSTER,
        Fitness.OTHER_TIMELINE,
    }
)


def _is_for_all(fault: Fitness, lag: Lag, primary: History, now: float, limits: Limits, *, slack: float) -> bool:
    """Say whether every process that asks finds this fault, or one that is as bad.

    Two processes measure one lag at different times: where one finds it well above the limit, the other does not find
    it below. Slowness is not for all, since it may be that of the way between two machines.
    """
    beyond_doubt = limits.greatest_lag + limits.longest_trust + slack
    if fault is Fitness.LAGGING:
        return (lag.seconds or 0.0) > beyond_doubt
    if fault is Fitness.LAG_UNKNOWN:
        return primary.reaches_back(now) > beyond_doubt
    return fault in _FOR_ALL


def _detail(finding: Finding, fitness: Fitness) -> str:
    """Return what is known about the cause."""
    if fitness is Fitness.SLOW:
        return f"the last two answers took about {finding.took:.1f} s each"
    if fitness in {Fitness.LAGGING, Fitness.LAG_UNKNOWN} and finding.is_receiving is False:
        return "its WAL receiver does not run"
    return finding.error


def _recovery(before: Standing, finding: Finding, lag: Lag, limits: Limits) -> Fitness:
    """Return whether a faultless replica serves, or still has to prove itself."""
    is_close = lag.state is LagState.CURRENT or (lag.seconds is not None and lag.seconds <= limits.return_lag)
    has_waited = finding.at - before.ejected_at >= limits.shortest_ejection
    shows_since = finding.at - lag.seconds if lag.seconds is not None else -math.inf
    is_fit = before.fitness is Fitness.FIT or (is_close and has_waited and shows_since >= before.owes)
    return Fitness.FIT if is_fit else Fitness.RECOVERING
