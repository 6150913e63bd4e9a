"""Compared reads as the comparison leaves them, made by hand."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import Outcome
from routers.captured import CapturedStatement

STATEMENT = 'SELECT "shop_product"."id" FROM "shop_product" WHERE "shop_product"."price" > $1'


def shadow_read(age: timedelta = timedelta(minutes=1), **changes: Any) -> ShadowRead:
    """Return a read of an endpoint, unsaved: by default one that was compared a minute ago and found equal."""
    moment: datetime = timezone.now() - age
    values: dict[str, Any] = {
        "batch": uuid4(),
        "captured_at": moment,
        "cluster": "default",
        "pool": "default",
        "alias": "default",
        "endpoint": "shop:product-list",
        "model": "shop.Product",
        "reason": "observed",
        "fingerprint": "f1",
        "statement": STATEMENT,
        "state": ShadowState.DONE,
        "compared_at": moment,
        "outcome": Outcome.EQUAL,
        "replica": "replica1",
        "primary_ms": 2.0,
        "replica_ms": 3.0,
        "rows": 1,
    }
    if changes.get("state", ShadowState.DONE) != ShadowState.DONE:
        values |= {"compared_at": None, "outcome": "", "replica": "", "primary_ms": None, "replica_ms": None}
    return ShadowRead(**(values | changes))


def store(count: int = 1, age: timedelta = timedelta(minutes=1), **changes: Any) -> list[ShadowRead]:
    """Store so many of them."""
    return ShadowRead.objects.bulk_create(shadow_read(age, **changes) for _ in range(count))


def sealed(query: bytes = b"SELECT 1 WHERE 'secret' = $1", *parameters: bytes) -> bytes:
    """Return what is stored of a statement and its parameters."""
    return CapturedStatement(query=query, parameters=parameters).sealed()
