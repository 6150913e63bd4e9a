"""What the process that serves the page knows about the replicas at this moment."""

import os
import socket
import time
from collections.abc import Iterable
from datetime import datetime

from admin_ui.replicas.board import Board
from admin_ui.replicas.standings import board
from rollout.models import DrainedReplica
from rollout.settings import Refresh, get_settings, refresh
from routers.replicas import replicas


def see_replicas(
    now: datetime, using: str, *, has_rules: bool, drained: Iterable[DrainedReplica] | None = None
) -> Board:
    """Read which replicas are drained from one alias, and how all of them stand from this process, in one query.

    drained: those that are, from whoever has read them already.
    """
    settings = get_settings()
    standings = {alias: replicas.standing(alias) for alias in settings.replicas}
    is_asked = any(standing.seen_at > float("-inf") for standing in standings.values())
    return board(
        settings,
        standings,
        {alias: replicas.primary(alias) for alias in settings.clusters},
        DrainedReplica.objects.using(using).order_by("alias") if drained is None else drained,
        monotonic_now=time.monotonic(),
        now=now,
        process=f"process {os.getpid()} on {socket.gethostname()}",
        note="" if is_asked else why_nothing_is_asked(refresh(), has_rules=has_rules),
    )


def why_nothing_is_asked(mode: Refresh, *, has_rules: bool) -> str:
    """Say why a process has not asked any server how it stands."""
    if mode is Refresh.OFF:
        return "Nothing is routed in this process, so it does not ask the servers how they stand."
    if mode is Refresh.INLINE:
        return "This process does not ask the servers how they stand: POLICY_REFRESH is “inline”, which trusts them."
    if not has_rules:
        return "There is no rule yet, so this process does not ask the servers how they stand."
    return "This process has not asked the servers how they stand yet: it starts with the first read it decides."
