"""Captured reads as a courier stores them."""

import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone

from rollout.models import ShadowRead
from routers.captured import CapturedStatement


def store(*statements: CapturedStatement, batch: uuid.UUID | None = None, **fields: Any) -> list[ShadowRead]:
    """Store a batch of reads that wait to be compared."""
    facts: dict[str, Any] = {
        "batch": batch or uuid.uuid4(),
        "captured_at": timezone.now(),
        "cluster": "default",
        "pool": "default",
        "alias": "default",
        "endpoint": "shop:product-list",
        "model": "shop.Product",
        "reason": "observed",
        "fingerprint": "0" * 16,
        "statement": 'SELECT "shop_product"."name" FROM "shop_product"',
    } | fields
    return ShadowRead.objects.bulk_create(
        ShadowRead(**facts, sealed=statement.sealed()) for statement in statements or (CapturedStatement(b"SELECT 1"),)
    )


def back_date(reads: list[ShadowRead], when: datetime, *fields: str) -> None:
    """Make it seem that what these fields tell happened then."""
    ShadowRead.objects.filter(pk__in=[read.pk for read in reads]).update(**dict.fromkeys(fields, when))
