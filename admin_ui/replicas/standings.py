"""Puts what one process knows about the replicas into words. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from admin_ui.drawing.figures import duration, size
from admin_ui.replicas.board import Board, ClusterRow, Drain, ReplicaRow, State
from rollout.models import DrainedReplica
from rollout.options import Cluster, Replica, Settings
from routers.health import Fitness, Standing
from routers.lag import Lag, LagState
from routers.primaries import Condition, PrimaryStanding

SILENT = "has not been heard of for too long"
FIT_BUT_DRAINED = "is fit to serve reads"


def board(
    settings: Settings,
    standings: Mapping[str, Standing],
    primaries: Mapping[str, PrimaryStanding],
    drained: Iterable[DrainedReplica],
    *,
    monotonic_now: float,
    now: datetime,
    process: str,
    note: str,
) -> Board:
    """Put together what one process knows. Standings are by alias, on the clock of `monotonic_now`."""
    drains = {
        row.alias: Drain(
            alias=row.alias,
            by=row.drained_by,
            reason=row.reason,
            at=row.drained_at,
            lasts=duration((now - row.drained_at).total_seconds()),
        )
        for row in drained
    }
    return Board(
        process=process,
        note=note,
        clusters=tuple(
            ClusterRow(
                cluster.primary,
                _rows(cluster, settings, standings, drains, monotonic_now),
                trouble=_trouble(primaries[cluster.primary]),
                moved=primaries[cluster.primary].moved,
            )
            for cluster in settings.clusters.values()
        ),
        strays=tuple(drain for alias, drain in sorted(drains.items()) if alias not in settings.replicas),
    )


def _trouble(primary: PrimaryStanding) -> str:
    return "" if primary.condition in {Condition.SERVING, Condition.UNKNOWN} else primary.condition.words


def _rows(
    cluster: Cluster, settings: Settings, standings: Mapping[str, Standing], drains: Mapping[str, Drain], now: float
) -> tuple[ReplicaRow, ...]:
    rows = [
        _row(replica, standings[replica.alias], drains.get(replica.alias), now, settings.longest_trust_seconds)
        for replica in cluster.replicas
    ]
    serving = Counter(row.pool for row in rows if row.may_serve)
    return tuple(replace(row, is_last=row.may_serve and serving[row.pool] == 1) for row in rows)


def _row(replica: Replica, standing: Standing, drain: Drain | None, now: float, longest_trust: float) -> ReplicaRow:
    state = _state(standing, now, longest_trust)
    is_silent = state is State.OUT and now - standing.seen_at > longest_trust
    return ReplicaRow(
        alias=replica.alias,
        pool=replica.pool,
        weight=replica.weight,
        state=state,
        words=_words(standing, is_silent, drain),
        detail=standing.detail,
        since=_since(standing, state, is_silent, now),
        lag="unknown" if state is State.UNKNOWN or is_silent else _lag(standing.lag),
        drain=drain,
    )


def _state(standing: Standing, now: float, longest_trust: float) -> State:
    if math.isinf(standing.seen_at):
        return State.UNKNOWN
    return State.SERVES if standing.is_fit(now, longest_trust) else State.OUT


def _words(standing: Standing, is_silent: bool, drain: Drain | None) -> str:
    if is_silent:
        return SILENT
    return FIT_BUT_DRAINED if drain is not None and standing.fitness is Fitness.FIT else standing.fitness.words


def _since(standing: Standing, state: State, is_silent: bool, now: float) -> str:
    if state is State.UNKNOWN:
        return ""
    if is_silent:
        return f"last heard of {duration(now - standing.seen_at)} ago"
    lasts = duration(now - standing.since)
    return f"for {lasts}" if standing.fitness is Fitness.FIT else f"not serving for {lasts}"


def _lag(lag: Lag) -> str:
    left = f", {size(lag.bytes)} of the log to replay" if lag.bytes is not None else ""
    if lag.state is LagState.CURRENT:
        return "none. It shows all that the primary had when last asked"
    if lag.state is LagState.KNOWN and lag.seconds is not None:
        return f"at most {lag.seconds:.1f} s{left}"
    return f"unknown{left}"
