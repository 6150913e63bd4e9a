"""Asks servers where they stand on the connections that this thread has anyway, and settles trails by the answers."""

import logging
import time
from contextlib import suppress
from dataclasses import replace

from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, InterfaceError, connections

from rollout.settings import Refresh, get_settings, refresh
from routers.health import Finding
from routers.own_work import own_work
from routers.positions import Floor
from routers.probe import QUESTION, read_finding
from routers.replicas import replicas
from routers.tokens import NOTHING, Token, lifetime_seconds, pinned
from routers.trail import Trail
from routers.transactions import in_transaction

logger = logging.getLogger("readshift")

LONGEST_TRANSACTION_SECONDS = 3_600.0
"""How long a task stays on the primary that was enqueued in a transaction: until then it may not have ended."""


def ask(alias: str) -> Finding:
    """Return where the server of this alias stands. Raises `DatabaseError` or `InterfaceError` without an answer."""
    at = time.monotonic()
    with own_work(), connections[alias].cursor() as cursor:
        cursor.execute(QUESTION)
        return read_finding(at, cursor.fetchone())


def settle_writes(trail: Trail, now: float) -> None:
    """Put what was written into the trail's token, except for what is in a transaction still.

    Costs one question to each primary that was written to. `now` is in seconds since the epoch.
    """
    until = now + lifetime_seconds(get_settings())
    for primary in tuple(trail.unsettled):
        # A position taken within the transaction would lie before its commit, which a replica can have passed without
        # showing the rows.
        if not in_transaction(primary):
            trail.learn(primary, _token_of_position(primary, until))


def settle_reads(trail: Trail, now: float) -> None:
    """Put what was seen on the primaries into the trail's token. Costs no question once the prober runs."""
    until = now + lifetime_seconds(get_settings())
    # What is asked after a write covers the reads before it.
    for primary in trail.seen - trail.unsettled:
        trail.learn(primary, _token_after_read(primary, until))


def conclude(trail: Trail, now: float) -> bool:
    """Settle a trail at the end of its unit, and say whether there is anything that the actor's next unit must know."""
    settle_writes(trail, now)
    settle_reads(trail, now)
    for primary in tuple(trail.unsettled):
        # Django does not commit it: autocommit is off, and the host's own code ends the transaction at some time.
        trail.learn(primary, pinned([primary], now + LONGEST_TRANSACTION_SECONDS))
    return bool(trail.learned)


def token_for_task(trail: Trail, now: float) -> Token:
    """Return what a task must know that is enqueued now."""
    # On an event loop nothing can be asked, so that only the primary is sure to be right.
    with suppress(SynchronousOnlyOperation):
        settle_writes(trail, now)
        settle_reads(trail, now)
    unknown = trail.unsettled | trail.seen
    primaries = [primary for primary in get_settings().clusters if primary in unknown or in_transaction(primary)]
    return trail.token.merge(pinned(primaries, now + LONGEST_TRANSACTION_SECONDS))


def _token_of_position(primary: str, until: float) -> Token:
    try:
        finding = ask(primary)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Where %r stands is not known, so an actor of a moment ago reads there: %s", primary, error)
        return pinned([primary], until)
    position = finding.position
    if position is None or finding.is_standby:
        return pinned([primary], until)
    return Token({primary: (Floor(position.system, position.timeline, lsn=position.lsn, until=until),)})


def _token_after_read(primary: str, until: float) -> Token:
    if floor := replicas.floor_now(primary):
        return Token({primary: (replace(floor, until=until),)})
    if refresh() is Refresh.INLINE:
        # Nobody follows the primary's clock, and a test wants no query that its own code does not make.
        return NOTHING
    # The first moments of a process: its prober has not asked the primary yet.
    return _token_of_position(primary, until)
