"""A client that writes all the time: `python -m benchmarks.shadow.writer DSN [--rate N] [--only KIND]`."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from benchmarks.shadow.app.content import COLOURS, ITEMS, KINDS, MOVING

RATE = 100.0
MOST_ADDED = 60
_FLIPPING = 40
"""How many items change to and fro all the time, so that they are often what they were before."""

Connection = psycopg.Connection[TupleRow]


def _flip(connection: Connection, dice: Random) -> None:
    statement = (
        "UPDATE shadow_item SET kind = CASE kind WHEN %s THEN %s ELSE %s END, price = 100.5 - price WHERE id = %s"
    )
    connection.execute(statement, [KINDS[0], KINDS[1], KINDS[0], dice.randint(1, _FLIPPING)])


def _flip_at_once(connection: Connection, dice: Random) -> None:
    """Change an item and change it back, in two transactions that follow one another closely."""
    item = dice.randint(1, _FLIPPING)
    for difference in (1, -1):
        connection.execute("UPDATE shadow_item SET stock = stock + %s WHERE id = %s", [difference, item])


def _sell(connection: Connection, dice: Random) -> None:
    connection.execute(
        "UPDATE shadow_item SET stock = (stock + 7) %% 50, weight = weight * 1.01 WHERE id = %s",
        [dice.randint(_FLIPPING, ITEMS)],
    )


def _revise(connection: Connection, dice: Random) -> None:
    colour, size = dice.choice(COLOURS), dice.randrange(10)
    connection.execute(
        "UPDATE shadow_item SET tags = %s, attributes = %s, sizes = int4range(%s, %s), photo = %s,"
        " added = added + interval '1 minute' WHERE id = %s",
        [
            [colour, f"tag, {size}"],
            json.dumps({"colour": colour, "size": size, "note": None}),
            size,
            size + 10,
            bytes((size, 0, 255, 10, 92)),
            dice.randint(_FLIPPING, ITEMS),
        ],
    )


def _add(connection: Connection, dice: Random) -> None:
    with connection.transaction():
        inserted = connection.execute(
            "INSERT INTO shadow_item (shelf, maker_id, name, kind, price, stock, weight, tags, attributes, code, sizes,"
            " photo, added) SELECT shelf, maker_id, name || '+', kind, price, stock, weight, tags, attributes,"
            " gen_random_uuid(), sizes, photo, now() FROM shadow_item WHERE id = %s RETURNING id",
            [dice.randint(1, ITEMS)],
        ).fetchone()
        if inserted is not None:
            connection.execute("INSERT INTO shadow_remark (item_id, text) VALUES (%s, 'New')", inserted)


def _drop(connection: Connection, _: Random) -> None:
    """Remove the oldest of those that were added, once there are so many."""
    (removed,) = connection.execute(
        "SELECT array(SELECT id FROM shadow_item WHERE id > %s AND shelf = %s ORDER BY id DESC OFFSET %s)",
        [ITEMS, MOVING, MOST_ADDED],
    ).fetchone() or ([],)
    with connection.transaction():
        connection.execute("DELETE FROM shadow_remark WHERE item_id = ANY (%s)", [removed])
        connection.execute("DELETE FROM shadow_item WHERE id = ANY (%s)", [removed])


def _count(connection: Connection, _: Random) -> None:
    connection.execute("UPDATE shadow_counter SET version = version + 1")


WRITES: dict[str, Callable[[Connection, Random], Any]] = {
    "flip": _flip,
    "flip_at_once": _flip_at_once,
    "sell": _sell,
    "revise": _revise,
    "add": _add,
    "drop": _drop,
    "count": _count,
}


def main() -> int:
    """Write until ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shadow.writer", description=__doc__)
    parser.add_argument("dsn", help="of the primary")
    parser.add_argument("--rate", type=float, default=RATE, help="writes a second")
    parser.add_argument("--only", choices=WRITES, help="write this alone")
    options = parser.parse_args()
    dice, kinds = Random(1), [options.only] if options.only else list(WRITES)  # noqa: S311 - repeatable traffic
    with psycopg.connect(options.dsn, autocommit=True) as connection:
        due = time.monotonic()
        while True:
            WRITES[dice.choice(kinds)](connection, dice)
            due = max(due + 1 / options.rate, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    sys.exit(main())
