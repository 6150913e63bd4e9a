"""What a process makes of the rounds of a leader whose clock it does not know. Pure."""

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from routers.health import Finding
from routers.rounds import Round

REMEMBERED = 16
"""Rounds: some seconds of them, so that a process which missed a few still meets one that it saw confirmed."""

_STEADY_SECONDS = 2.0
"""For how long two clocks are taken to run equally fast."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a round says, by the clock of this process: new findings, and the servers that may hang."""

    findings: Mapping[str, Finding] = field(default_factory=dict)
    doubts: frozenset[str] = frozenset()


class Hearing:
    """Follows the rounds of one leader and dates its findings by the clock of this process, never too late.

    A finding must not be believed to be younger than it is: what a replica showed "since" a time, and how far the
    primary's clock may have come since it told its time (`History.floor_at`), rest on when the question was asked. Too
    early is safe, since the lag is then taken for greater, and the primary's clock for further ahead, than it is.

    Nothing is assumed about the clocks of the two machines but that they run equally fast for a second or two, and
    nothing about how long anything takes on its way. So no message of the leader's can say by itself when it was sent;
    that needs something which happened here before something that happened there. The cache provides it:

    1. Here, a read of the cache that began at time t did not show round n yet, and a later read did. A leader writes
       each round once, so round n was written after t.
    2. There, the leader read round n back, and its clock said c afterwards. So it was written before c.

    Hence c there was later than t here, and clock there = c + x, for whatever x, was later than clock here = t + x.
    `t - c` is therefore a lower bound of what must be added to the leader's clock to get ours. The times at which
    rounds were sent would not do in place of c: a leader that is held up between reading its clock and writing would
    have its findings believed to be that much younger. The times of confirmations come with the next round, which is
    the first that can be dated. The largest of the bounds of the last two seconds is the best one. The first round that
    is seen is no use but as "a read that did not show the next one yet".

    In the other direction, a round that a read showed was sent before that read ended, which bounds from above what
    must be added. The difference of both bounds is each finding's `slack`.

    A cache that was emptied shows nothing, and what it does not show any more is not shown later either. One that came
    back from an old copy shows an earlier round: then this begins anew.
    """

    def __init__(self) -> None:
        self._owner = ""
        self._number = -1
        self._missing_at: float | None = None
        self._written_after: dict[int, float] = {}
        self._bounds: deque[tuple[float, float]] = deque()
        self._dated: dict[str, tuple[float, float]] = {}

    def hear(self, began: float, ended: float, told: Round | None) -> Heard | None:
        """Return what a read of the cache shows, between these times of our clock; None if nothing new, or undated.

        Findings that were heard before are left out.
        """
        if told is not None and (told.owner != self._owner or told.number < self._number):
            self._begin(told.owner)
        missing_at = self._missing_at
        self._missing_at = began
        if told is None or told.number == self._number:
            return None
        self._number = told.number
        if missing_at is not None:
            self._written_after[told.number] = missing_at
            if len(self._written_after) > REMEMBERED:
                del self._written_after[next(iter(self._written_after))]
        self._bounds.extend(
            (began, self._written_after[number] - at)
            for number, at in told.confirmed.items()
            if number in self._written_after
        )
        while self._bounds and self._bounds[0][0] < began - _STEADY_SECONDS:
            self._bounds.popleft()
        if not self._bounds:
            return None
        least, most = max(bound for _, bound in self._bounds), ended - told.at
        new = {alias: self._date(alias, finding, least, most) for alias, finding in self._new(told)}
        return Heard(new, told.doubts)

    def _begin(self, owner: str) -> None:
        """Begin anew with another leader, or with this one after its rounds were lost. What was read before stays."""
        if self._owner:
            self._missing_at = None
        self._owner, self._number = owner, -1
        for known in (self._written_after, self._bounds, self._dated):
            known.clear()

    def _new(self, told: Round) -> Iterator[tuple[str, Finding]]:
        for alias, finding in told.findings.items():
            if alias not in self._dated or finding.at > self._dated[alias][0]:
                yield alias, finding

    def _date(self, alias: str, finding: Finding, least: float, most: float) -> Finding:
        _, former_at = self._dated.get(alias, (-math.inf, -math.inf))
        # It was asked after the one before, whatever the bound of that was.
        at = max(finding.at + least, former_at)
        self._dated[alias] = finding.at, at
        return replace(finding, at=at, slack=max(0.0, finding.at + most - at))
