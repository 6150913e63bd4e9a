"""What customers bought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

if TYPE_CHECKING:
    from decimal import Decimal


class Order(models.Model):
    """A cart that was checked out."""

    class Status(models.TextChoices):
        """How far an order has come."""

        PLACED = "placed", "Placed"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        CANCELLED = "cancelled", "Cancelled"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", db_index=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.PLACED)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created", "-pk")
        indexes = (
            models.Index(fields=("user", "-created", "-id"), name="shop_order_user_newest"),
            models.Index(fields=("created",), name="shop_order_created"),
        )
        constraints = (
            models.CheckConstraint(condition=models.Q(total__gte=0), name="shop_order_total_not_negative"),
            models.CheckConstraint(
                condition=models.Q(status__in=("placed", "shipped", "delivered", "cancelled")),
                name="shop_order_status_known",
            ),
        )

    def __str__(self) -> str:
        return f"order {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("shop:order-detail", args=(self.pk,))


class OrderLineQuerySet(models.QuerySet["OrderLine"]):
    """Order lines, as reports read them."""

    def sold(self) -> OrderLineQuerySet:
        """Leave out the lines of cancelled orders."""
        return self.exclude(order__status=Order.Status.CANCELLED)


class OrderLine(models.Model):
    """A product, how many of it, and what one cost when it was ordered."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    product = models.ForeignKey("shop.Product", on_delete=models.PROTECT, related_name="order_lines")
    quantity = models.PositiveIntegerField(validators=(MinValueValidator(1),))
    unit_price = models.DecimalField(max_digits=8, decimal_places=2)

    objects = OrderLineQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("order", "product"), name="shop_orderline_unique"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="shop_orderline_quantity_positive"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product}"

    @property
    def amount(self) -> Decimal:
        """What the line cost."""
        return self.quantity * self.unit_price
