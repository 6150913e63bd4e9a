"""The reads that were compared in that week, with one fault that the comparison found."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any
from uuid import UUID

from demo.history.story import ORDERS
from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import Outcome, ShadowCause
from routers.captured import CapturedStatement
from tasks.comparing.answers import Answer, Column, Digest
from tasks.comparing.differences import Privacy, compare

POSITION = 0x3_1A40_0000
BYTES_PER_HOUR = 9_000_000
ORDER_STATEMENT = (
    'SELECT "shop_order"."id", "shop_order"."status", "shop_order"."total" FROM "shop_order" '
    'WHERE "shop_order"."user_id" = $1 ORDER BY "shop_order"."created" DESC LIMIT $2'
)
REPORT_STATEMENT = (
    'SELECT "shop_orderline"."product_id", SUM("shop_orderline"."quantity") FROM "shop_orderline" '
    'GROUP BY "shop_orderline"."product_id" ORDER BY 2 DESC LIMIT $1'
)
CATALOGUE_STATEMENT = (
    'SELECT "shop_product"."id", "shop_product"."name", "shop_product"."price" FROM "shop_product" '
    'WHERE "shop_product"."category_id" = $1 ORDER BY "shop_product"."name" LIMIT $2'
)
STATEMENTS = {
    "shop:product-list": ("shop.Product", CATALOGUE_STATEMENT, 8.0),
    "shop:report": ("shop.OrderLine", REPORT_STATEMENT, 140.0),
    ORDERS: ("shop.Order", ORDER_STATEMENT, 4.0),
}
"""By endpoint: the model, what is read, and how many milliseconds it takes."""

COUNTS = {
    "shop:product-list": {Outcome.EQUAL: 1_020, Outcome.CAUGHT_UP: 31, Outcome.INCONCLUSIVE: 4},
    "shop:report": {Outcome.EQUAL: 160, Outcome.CAUGHT_UP: 7, Outcome.INCONCLUSIVE: 9, Outcome.ERROR: 2},
    ORDERS: {Outcome.EQUAL: 140, Outcome.CAUGHT_UP: 18, Outcome.DIVERGENT: 3},
}
CAUSES = {
    Outcome.DIVERGENT: (ShadowCause.CHANGED_COLUMN,),
    Outcome.INCONCLUSIVE: (ShadowCause.MOVED, ShadowCause.BEHIND, ShadowCause.NONDETERMINISTIC),
    Outcome.ERROR: (ShadowCause.TIMEOUT,),
}
ORDERS_SHOWN = tuple((b"%d" % (4711 - place), b"delivered", b"%d.50" % (20 + 3 * place)) for place in range(12))
"""What the primary answers where the replica does not know that one order was delivered."""

FOUND_BEFORE = timedelta(days=3, hours=23, minutes=56)
"""When the divergent reads were found: while the orders' rollout was under way."""


def store_shadows(now: datetime) -> None:
    """Write them."""
    ShadowRead.objects.bulk_create(_reads(now))


def _reads(now: datetime) -> Iterator[ShadowRead]:
    random = Random("shadows")
    for endpoint, outcomes in COUNTS.items():
        for outcome, count in outcomes.items():
            for number in range(count):
                at = now - timedelta(hours=160 * random.random())
                if outcome is Outcome.DIVERGENT:
                    at = now - FOUND_BEFORE + timedelta(seconds=40 * number)
                yield _read(endpoint, outcome, number, at, random)


def _read(endpoint: str, outcome: Outcome, number: int, at: datetime, random: Random) -> ShadowRead:
    model, statement, median_ms = STATEMENTS[endpoint]
    causes = CAUSES.get(outcome, ())
    took = median_ms * random.lognormvariate(0, 0.3)
    position = POSITION + random.randrange(BYTES_PER_HOUR)
    details: dict[str, Any] = {"positions": {"primary": position, "replica": position + 8192}, "brackets": 1}
    if outcome is Outcome.DIVERGENT:
        details |= {**_difference(number), "brackets": 3, "surroundings": []}
    parameters = (b"%d" % random.randint(1, 400), b"24")
    return ShadowRead(
        batch=UUID(int=random.getrandbits(128)),
        captured_at=at - timedelta(milliseconds=900),
        compared_at=at,
        cluster="default",
        pool="default",
        alias="default",
        endpoint=endpoint,
        model=model,
        reason="gate_off" if endpoint == "shop:product-list" else "observed",
        fingerprint=blake2b(statement.encode(), digest_size=8).hexdigest(),
        statement=statement,
        position=position,
        sealed=None if outcome is Outcome.EQUAL else CapturedStatement(statement.encode(), parameters).sealed(),
        state=ShadowState.DONE,
        tries=1,
        outcome=outcome,
        cause=causes[number % len(causes)] if causes else "",
        replica=f"replica{1 + number % 2}",
        staleness_ms=random.lognormvariate(3.2, 0.8) if outcome is Outcome.CAUGHT_UP else None,
        primary_ms=took,
        replica_ms=took * random.uniform(0.8, 1.3),
        rows=len(ORDERS_SHOWN) if outcome is Outcome.DIVERGENT else 24,
        details=details,
    )


def _difference(number: int) -> dict[str, Any]:
    """Return how a list of orders differs of which the replica does not know that one was delivered."""
    older = [
        (key, b"placed", total) if place == number else (key, status, total)
        for place, (key, status, total) in enumerate(ORDERS_SHOWN)
    ]
    privacy = Privacy(lambda value: blake2b(value, key=b"demo", digest_size=8).hexdigest(), shown={0, 1})
    found = compare(_answer(ORDERS_SHOWN), _answer(older), privacy, is_ordered=True)
    return dict(found.details) if found else {}


def _answer(rows: Sequence[tuple[bytes, ...]]) -> Answer:
    digest = Digest(b"demo", most_rows=100, most_bytes=100_000)
    digest.extend(rows)
    return digest.answer((Column("id", 20), Column("status", 1043), Column("total", 1700)), 4.0)
