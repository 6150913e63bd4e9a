"""How the shop is doing: the heaviest reads it has."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from demo.shop.models import Category, Order, OrderLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from django.http import HttpRequest, HttpResponse

    from demo.shop.models.orders import OrderLineQuerySet

REPORT_DAYS = 14
TOP_PRODUCTS = 10

REVENUE = Sum(F("quantity") * F("unit_price"))


@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """Revenue per category and day, and the products that earned most."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=REPORT_DAYS - 1)
    lines = OrderLine.objects.sold().filter(order__created__gte=since).order_by()
    categories = list(Category.objects.values_list("name", flat=True))
    context = {
        "since": since,
        "summary": summary(since),
        "categories": categories,
        "days": revenue_by_day(lines, categories),
        "top_products": top_products(lines),
    }
    return render(request, "shop/report.html", context)


def summary(since: datetime) -> dict[str, Any]:
    """How many orders there were, from how many customers, and what they came to."""
    orders = Order.objects.exclude(status=Order.Status.CANCELLED).filter(created__gte=since)
    return orders.aggregate(
        orders=Count("pk"), customers=Count("user", distinct=True), revenue=Sum("total", default=Decimal(0))
    )


def revenue_by_day(lines: OrderLineQuerySet, categories: list[str]) -> list[dict[str, Any]]:
    """A row per day, newest first, with an amount per category in the given order."""
    cells = lines.values(day=TruncDate("order__created"), category=F("product__category__name")).annotate(
        revenue=REVENUE
    )
    days: dict[date, dict[str, Decimal]] = defaultdict(dict)
    for cell in cells:
        days[cell["day"]][cell["category"]] = cell["revenue"]
    return [
        {
            "day": day,
            "amounts": [amounts.get(category, Decimal(0)) for category in categories],
            "total": sum(amounts.values()),
        }
        for day, amounts in sorted(days.items(), reverse=True)
    ]


def top_products(lines: OrderLineQuerySet) -> Iterable[Mapping[str, Any]]:
    """The products that brought in most."""
    return (
        lines.values(name=F("product__name"), slug=F("product__slug"))
        .annotate(pieces=Sum("quantity"), revenue=REVENUE)
        .order_by("-revenue", "slug")[:TOP_PRODUCTS]
    )
