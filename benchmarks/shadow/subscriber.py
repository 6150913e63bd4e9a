"""A logical subscriber of the project's tables, and what is changed on it alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.shadow.sorting import COLLATION, create_collation, locales
from benchmarks.shadow.stack import DATABASE, create_tables
from demo.cluster import Cluster, Server, default_root
from demo.waiting import wait_until
from rollout.outcomes import ShadowCause

TABLES = ("shadow_maker", "shadow_item", "shadow_remark", "shadow_counter")
_COPY_SECONDS = 60.0
_COPIED = "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"


@dataclass(frozen=True, slots=True)
class Fault:
    """A difference that is planted on the subscriber. cause: what it must be reported as."""

    name: str
    cause: ShadowCause
    statement: str


FAULTS = (
    Fault(
        "row_changed",
        ShadowCause.CHANGED_COLUMN,
        "UPDATE shadow_item SET stock = stock + 1000"
        " WHERE id = (SELECT min(id) FROM shadow_item WHERE shelf = 'row_changed')",
    ),
    Fault(
        "row_missing",
        ShadowCause.MISSING_ROW,
        "DELETE FROM shadow_item WHERE id = (SELECT max(id) FROM shadow_item WHERE shelf = 'row_missing')",
    ),
    Fault(
        "row_extra",
        ShadowCause.EXTRA_ROW,
        "INSERT INTO shadow_item (id, shelf, maker_id, name, kind, price, stock, weight, tags, attributes, code, sizes,"
        " photo, added) SELECT id + 1000000000, shelf, maker_id, name, kind, price, stock, weight, tags, attributes,"
        " code, sizes, photo, added FROM shadow_item WHERE shelf = 'row_extra' ORDER BY id LIMIT 1",
    ),
    Fault(
        "column_changed",
        ShadowCause.CHANGED_COLUMN,
        "UPDATE shadow_item SET price = price + 1 WHERE shelf = 'column_changed'",
    ),
    Fault(
        "collation",
        ShadowCause.COLLATION,
        f"ALTER TABLE shadow_item ALTER COLUMN name TYPE varchar(40) COLLATE {COLLATION}",
    ),
    Fault(
        "time_zone",
        ShadowCause.SETTINGS,
        f"ALTER ROLE postgres IN DATABASE {DATABASE} SET timezone TO 'Asia/Kathmandu'",
    ),
)


@contextmanager
def subscribed(primary: Server) -> Iterator[tuple[Server, Sequence[Fault]]]:
    """Run a server that is subscribed to the tables, and give it with the faults that can be planted on it."""
    with locales(), Cluster(default_root("shadow-subscriber"), replicas=0) as cluster:
        server = cluster.primary
        server.query(f"CREATE DATABASE {DATABASE}")
        create_tables(server.port)
        sorts_otherwise = create_collation(server, DATABASE)
        primary.query(f"CREATE PUBLICATION shadow FOR TABLE {', '.join(TABLES)}", dbname=DATABASE)
        server.query(
            f"CREATE SUBSCRIPTION shadow CONNECTION '{primary.dsn(DATABASE)}' PUBLICATION shadow", dbname=DATABASE
        )
        try:
            wait_until(
                lambda: server.query(_COPIED, dbname=DATABASE) == [(True,)], _COPY_SECONDS, "the tables to be copied"
            )
            yield server, [fault for fault in FAULTS if sorts_otherwise or fault.cause is not ShadowCause.COLLATION]
        finally:
            # Its slot on the primary goes with it.
            server.query("DROP SUBSCRIPTION shadow", dbname=DATABASE)
            primary.query("DROP PUBLICATION shadow", dbname=DATABASE)


def plant(server: Server, fault: Fault) -> None:
    """Change what the fault stands for, on this server alone."""
    server.query(fault.statement, dbname=DATABASE)
