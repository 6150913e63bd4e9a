"""Since when counters count, and which endpoints have series of their own. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from admin_ui.metrics.families import OTHER

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def period(retention_days: float) -> timedelta:
    """Return for how long counters count before they begin anew.

    The rows of the present period and of the one before must still be there: a day, or an hour where the project keeps
    its counts for less than two days.
    """
    return DAY if timedelta(days=retention_days) >= 2 * DAY else HOUR


def began_at(now: datetime, length: timedelta) -> datetime:
    """Return when the present period began, by UTC. All processes agree on it, whenever they were started."""
    return now - timedelta(seconds=now.timestamp() % length.total_seconds())


def naming(
    first_seen: Mapping[str, datetime], most: int, read_counts_before: Callable[[], Mapping[str, int]]
) -> Callable[[str], str]:
    """Return what names the series of an endpoint: itself, or `OTHER` where there are more than `most`.

    first_seen: the endpoints of the period, with the begin of the first row of each.
    read_counts_before: how much was counted of each in the period before, which is over. Called only if there are more.

    The busiest of the period before keep their series through the whole period. What they leave goes to those that are
    new, by the hour in which they came. So an endpoint may lose its series to another one within a period, but what was
    once counted under `OTHER` stays there, and that never falls.
    """
    if len(first_seen) <= most:
        return lambda endpoint: endpoint
    before = read_counts_before()
    ranked = sorted(before, key=lambda name: (-before[name], name))[:most]
    # The hour, because merging rows changes when the first of them begins.
    new = sorted(first_seen.keys() - before.keys(), key=lambda name: (began_at(first_seen[name], HOUR), name))
    own = frozenset([*ranked, *new[: most - len(ranked)]])
    return lambda endpoint: endpoint if endpoint in own else OTHER
