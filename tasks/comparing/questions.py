"""The statements with which a worker finds out where a server stands, and opens the snapshot that it reads. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

DEFAULT_PLAN: Mapping[str, str] = {}
_NOT_PARALLEL = {"max_parallel_workers_per_gather": "0"}
PLANS: Sequence[Mapping[str, str]] = (
    DEFAULT_PLAN,
    _NOT_PARALLEL | dict.fromkeys(("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan"), "off"),
    _NOT_PARALLEL | dict.fromkeys(("enable_seqscan", "enable_hashagg", "enable_hashjoin"), "off"),
)
"""Settings under which the planner goes different ways, so that a statement shows whether it leaves something open:
ties of an ORDER BY, a LIMIT without one, a volatile function."""


class Kind(Enum):
    """What a server is, and so what its position says.

    PRIMARY: the end of its own log. STANDBY: how far it has replayed the primary's. SUBSCRIBER: how far its logical
    subscriptions have applied the log of the server that publishes, which they do in the order of its commits.
    """

    PRIMARY = "primary"
    STANDBY = "standby"
    SUBSCRIBER = "subscriber"


POSITION: Mapping[Kind, str] = {
    Kind.PRIMARY: "(pg_current_wal_insert_lsn() - '0/0')::text",
    Kind.STANDBY: "coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::text",
    # A keepalive carries the end of what the publisher has sent, and is taken after all that came before it. Workers
    # that copy a table, or apply for another one (from version 16), have positions of their own.
    Kind.SUBSCRIBER: """(
        SELECT coalesce(
            CASE WHEN bool_and(worker.latest_end_lsn IS NOT NULL) AND NOT bool_or(EXISTS (
                SELECT FROM pg_subscription_rel WHERE srsubid = subscription.oid AND srsubstate <> 'r'
            )) THEN min(worker.latest_end_lsn - '0/0') END, 0)::text
        FROM pg_subscription AS subscription
        LEFT JOIN pg_stat_subscription AS worker
               ON worker.subid = subscription.oid AND worker.relid IS NULL
              AND to_jsonb(worker) ->> 'leader_pid' IS NULL
        WHERE subscription.subenabled
          AND subscription.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    )""",
}
"""Expressions for where a server stands, in bytes of the log as text.

One that cannot say stands at 0: a standby before its first record, and a subscriber while one of its subscriptions is
down or still copies a table, of whose rows no position tells.
"""

# Two truths: is it a standby, and has this database a subscription?
WHAT_KIND = """
SELECT pg_is_in_recovery()::text,
       EXISTS (
           SELECT FROM pg_subscription
           WHERE subenabled AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       )::text
"""


def kind_of(is_standby: bool, has_subscription: bool, is_configured_as_primary: bool) -> Kind:
    """Return what a server is. A primary may subscribe to others; its own log is what its replicas follow."""
    if is_standby:
        return Kind.STANDBY
    return Kind.SUBSCRIBER if has_subscription and not is_configured_as_primary else Kind.PRIMARY


def needs_transaction(kind: Kind, statements: int) -> bool:
    """Say whether so many statements have to be run in a transaction.

    A standby lets nobody write. It ends sessions that stand in the way of replay in a transaction that is idle, which
    takes the connection with it; a statement of its own is cancelled, and no more.
    """
    return kind is not Kind.STANDBY or statements > 1


def opening(kind: Kind, settings: str, *, is_for_several: bool) -> str:
    """Return what comes before statements, in one go. The first value of its first rows is the position.

    settings: the expressions of `setting`. is_for_several: whether several statements are to see one snapshot, which
    then is that of the statement that ends this.

    All that a primary's snapshot shows is in the log by then, and its position is read with it. A replica's is read
    before, so that the snapshot shows all up to there.
    """
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    if not needs_transaction(kind, 2 if is_for_several else 1):
        return f"SELECT {POSITION[kind]}, {settings}"
    if kind is Kind.PRIMARY:
        return f"{begin}; SELECT {POSITION[kind]}, {settings}"
    return f"BEGIN READ ONLY; SELECT {POSITION[kind]}; COMMIT; {begin}; SELECT {settings}"


def setting(pairs: Iterable[tuple[str, str]], *, is_local: bool = True) -> str:
    """Return expressions that set parameters, for the transaction or the savepoint alone unless said otherwise.

    The pairs are literals.
    """
    return ", ".join(f"set_config({name}, {value}, {str(is_local).lower()})" for name, value in pairs)
