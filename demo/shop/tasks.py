"""What the shop does in the background; both tasks only read the database."""

from __future__ import annotations

import logging
from typing import TypedDict

from celery import shared_task
from django.core.cache import cache
from django.db.models import F, Sum

from demo.shop.models import Order, OrderLine

BESTSELLERS_KEY = "shop:bestsellers"

logger = logging.getLogger(__name__)


class Bestseller(TypedDict):
    """A product that sells well, with what a link to it needs."""

    name: str
    slug: str
    sold: int


@shared_task(name="shop.refresh_bestsellers")
def refresh_bestsellers(limit: int = 6) -> int:
    """Rank the products by pieces sold and keep the ranking where the front page finds it."""
    ranking = (
        OrderLine.objects.sold()
        .order_by()
        .values(name=F("product__name"), slug=F("product__slug"))
        .annotate(sold=Sum("quantity"))
        .order_by("-sold", "slug")[:limit]
    )
    bestsellers = [Bestseller(name=row["name"], slug=row["slug"], sold=row["sold"]) for row in ranking]
    # No expiry: an old ranking is better than none when the scheduler stands still.
    cache.set(BESTSELLERS_KEY, bestsellers, timeout=None)
    return len(bestsellers)


@shared_task(name="shop.send_order_confirmation")
def send_order_confirmation(order_id: int) -> str:
    """Write the letter that confirms an order. The sample shop has no mail server: it logs the letter."""
    order = Order.objects.select_related("user").get(pk=order_id)
    lines = "\n".join(
        f"{line.quantity:>4} x {line.product.name}: {line.amount}" for line in order.lines.select_related("product")
    )
    letter = f"Dear {order.user.get_username()}, thank you for order {order.pk}.\n{lines}\nTotal: {order.total}"
    logger.info("%s", letter)
    return letter
