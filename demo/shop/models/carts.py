"""What a customer is about to buy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models, transaction

if TYPE_CHECKING:
    from decimal import Decimal

    from demo.shop.models.catalogue import Product


class Cart(models.Model):
    """One customer's cart; it stays when it is emptied."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cart")

    def __str__(self) -> str:
        return f"cart of {self.user}"

    @transaction.atomic
    def add(self, product: Product, quantity: int) -> None:
        """Put a product in the cart, on top of what is in it already."""
        line, created = self.lines.get_or_create(product=product, defaults={"quantity": quantity})
        if not created:
            # The database adds, so that two clicks at once count twice.
            self.lines.filter(pk=line.pk).update(quantity=models.F("quantity") + quantity)


class CartLine(models.Model):
    """A product and how many of it."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines", db_index=False)
    product = models.ForeignKey("shop.Product", on_delete=models.CASCADE, related_name="cart_lines")
    quantity = models.PositiveIntegerField(validators=(MinValueValidator(1),))

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("cart", "product"), name="shop_cartline_unique"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="shop_cartline_quantity_positive"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product}"

    @property
    def amount(self) -> Decimal:
        """The line's price today."""
        return self.quantity * self.product.price
