"""When the nemesis does what. A pure function of the seed and the length of a run."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

LONG_RUN_SECONDS = 300.0
HOLD_SECONDS = 40.0
"""Longer than any timer of the systems that are compared."""

LONGEST_DELAY = 20.0
_LONG_DELAYS = (17.0, 20.0)
_SHORTEST_WITH_SWITCHOVER = 30.0


class Action(StrEnum):
    DELAY = "delay"
    PAUSE = "pause"
    RESUME = "resume"
    KILL = "kill"
    START = "start"
    SWITCHOVER = "switchover"


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something done to one standby, so many seconds after the start. `value` is the apply delay in seconds."""

    at: float
    action: Action
    standby: int
    value: float = 0.0


def schedule(seed: int, seconds: float) -> list[Event]:
    """Return the events of a run in their order.

    It begins and ends quietly, and so does the switchover at about three quarters: the standby with the number 0
    becomes the primary, and only the other one is disturbed afterwards. Before, both suffer at the same time but
    independently of each other. A long run holds both still once for `HOLD_SECONDS`.
    """
    rng = Random(seed)  # noqa: S311 - a schedule that can be repeated
    events: list[Event] = []
    storm, calm, second_storm, end = (seconds * share for share in (0.15, 0.62, 0.78, 0.92))
    has_hold = seconds >= LONG_RUN_SECONDS
    hold_at = seconds * 0.3
    for standby in (0, 1):
        if has_hold:
            events += _suffering(rng, standby, storm, hold_at - 1)
            events += [
                Event(hold_at, Action.PAUSE, standby),
                Event(hold_at + HOLD_SECONDS, Action.RESUME, standby),
            ]
        events += _suffering(rng, standby, hold_at + HOLD_SECONDS + 10 if has_hold else storm, calm)
    if seconds >= _SHORTEST_WITH_SWITCHOVER:
        events.append(Event(seconds * 0.72, Action.SWITCHOVER, 0))
        events += _suffering(rng, 1, second_storm, end)
    return sorted(events)


def _suffering(rng: Random, standby: int, begin: float, end: float) -> list[Event]:
    """Fill a time with one trouble of a standby after the other, and end with none.

    The first is a long delay for the first standby and a death for the second, so that a short run has both.
    """
    events: list[Event] = []
    at = begin
    first = (Action.DELAY, Action.KILL)[standby]
    while at < end - 2:
        action = first if at == begin else rng.choices((Action.DELAY, Action.PAUSE, Action.KILL), (6, 3, 2))[0]
        if action is Action.DELAY:
            # A lag grows no faster than time passes, so a long delay has to last.
            delay = rng.uniform(*(_LONG_DELAYS if at == begin else (0.0, LONGEST_DELAY)))
            until = min(end, at + delay + rng.uniform(2, 8))
            events += [Event(at, Action.DELAY, standby, round(delay, 1)), Event(until, Action.DELAY, standby, 0.0)]
        elif action is Action.PAUSE:
            until = min(end, at + rng.uniform(3, 12))
            events += [Event(at, Action.PAUSE, standby), Event(until, Action.RESUME, standby)]
        else:
            until = min(end, at + rng.uniform(1, 4))
            events += [Event(at, Action.KILL, standby), Event(until, Action.START, standby)]
        at = until + rng.uniform(1, 6)
    return events
