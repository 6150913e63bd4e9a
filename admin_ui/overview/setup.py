"""Looks at the installation for the first steps: checks, migrations, and whether the replicas answer."""

from collections.abc import Iterable, Iterator
from contextlib import closing

from django.apps import apps
from django.core import checks
from django.db import DatabaseError, InterfaceError, connections
from django.db.migrations.loader import MigrationLoader

from admin_ui.overview.first_steps import Setup
from admin_ui.replicas.board import Board, State
from rollout.checks import PACKAGES, check_databases, check_setting
from rollout.models import Tally, TallyKind
from rollout.options import Settings
from rollout.policy import Policy
from rollout.reasons import Reason
from routers.apart import connection_apart
from routers.checks import check_middleware, check_router

CONNECT_SECONDS = 2
"""How long a replica may take to let us in. The page of the first steps waits for it."""

UNDER_A_RULE = tuple(
    reason
    for reason in Reason
    if reason in {Reason.ROUTED, Reason.STALE}
    or reason.blames_replicas
    or reason
    in {
        Reason.PINNED,
        Reason.CONTRADICTION,
        Reason.GATE_MISSING,
        Reason.GATE_OFF,
        Reason.STRICT,
        Reason.SHED,
        Reason.OBSERVED,
    }
)
"""Reasons that only a read has which a rule matched."""


def has_counted(reasons: Iterable[str], policy: Policy, using: str) -> bool:
    """Say whether any rule has decided a read, in at most one query. reasons: those of the reads that are known."""
    if not policy.has_rules:
        return False
    if set(UNDER_A_RULE) & set(reasons):
        return True
    return Tally.objects.using(using).filter(kind=TallyKind.READ, reason__in=UNDER_A_RULE).exists()


def pending_migrations(using: str) -> Iterator[str]:
    """Yield the migrations of ours that were not applied."""
    ours = {config.label for config in apps.get_app_configs() if config.name in PACKAGES}
    loader = MigrationLoader(connections[using])
    applied = set(loader.applied_migrations or ())
    yield from (f"{label}.{name}" for label, name in sorted(set(loader.disk_migrations) - applied) if label in ours)


def read_setup(
    settings: Settings, policy: Policy, board: Board, using: str, *, is_counted: bool, is_thorough: bool
) -> Setup:
    """Look at everything.

    is_thorough: also compare the migrations with those on disk, and ask each replica of which this process knows
    nothing. It costs time, and more of it where a replica hangs.
    """
    return Setup(
        alias=using,
        pending=tuple(pending_migrations(using)) if is_thorough else (),
        cluster=tuple(_cluster(settings)),
        unreachable=tuple(_unreachable(board, asks=is_thorough)),
        router=_words(check_router()),
        middleware=_words(check_middleware()),
        is_enabled=settings.enabled,
        is_routing_on=policy.enabled,
        rules=len(policy.rules),
        is_counted=is_counted,
    )


def _cluster(settings: Settings) -> Iterator[str]:
    yield from _words([message for message in (*check_setting(), *check_databases()) if message.is_serious()])
    if not settings.clusters:
        yield "The READSHIFT setting names no cluster."
    for cluster in settings.clusters.values():
        if not cluster.replicas:
            yield f"The cluster “{cluster.primary}” has no replica."


def _words(messages: Iterable[checks.CheckMessage]) -> tuple[str, ...]:
    return tuple(f"{message.msg} {message.hint or ''}".strip() for message in messages)


def _unreachable(board: Board, *, asks: bool) -> Iterator[str]:
    for row in board.rows:
        if row.state is State.OUT:
            yield f"The replica “{row.alias}” {row.words}."
        elif asks and row.state is State.UNKNOWN and (fault := _fault(row.alias)):
            yield f"The replica “{row.alias}” {fault}."


def _fault(alias: str) -> str:
    """Ask a replica what it is, and say what is wrong with it, or nothing."""
    try:
        with (
            closing(connection_apart(alias, connect_timeout=CONNECT_SECONDS)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT pg_is_in_recovery()")
            (is_standby,) = cursor.fetchone()
    except (DatabaseError, InterfaceError) as error:
        return f"cannot be reached: {' '.join(str(error).split())}".removesuffix(".")
    return "" if is_standby else "is no standby of anything: it would take writes"
