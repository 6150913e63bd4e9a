"""How to repeat a shadow read: by a command, and by hand on both servers. Pure."""

from dataclasses import dataclass

_PRIMARY = """\
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SELECT pg_current_wal_insert_lsn();
{statement};
COMMIT;"""

_REPLICA = """\
SELECT pg_last_wal_replay_lsn();
{statement};"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """replay, reveal: commands. on_primary, on_replica: what to type into psql on each side."""

    replay: str
    reveal: str
    on_primary: str
    on_replica: str


def recipe_for(pk: int, statement: str) -> Recipe:
    """Write the recipe for a read of which the statement is still kept. statement: its text, without literals."""
    plain = statement.rstrip("; \n")
    return Recipe(
        replay=f"manage.py readshift replay {pk}",
        reveal=f"manage.py readshift replay {pk} --reveal",
        on_primary=_PRIMARY.format(statement=plain),
        on_replica=_REPLICA.format(statement=plain),
    )
