"""The one place where a cart becomes an order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from demo.shop.models import Cart, Order, OrderLine, Product
from demo.shop.tasks import send_order_confirmation

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class CheckoutError(Exception):
    """The cart cannot be ordered."""


class EmptyCartError(CheckoutError):
    """There is nothing in the cart."""

    def __init__(self) -> None:
        super().__init__("Your cart is empty.")


class OutOfStockError(CheckoutError):
    """The shop has fewer of a product than the cart asks for."""

    def __init__(self, product: Product) -> None:
        super().__init__(f"Only {product.stock} of “{product.name}” left. Please take fewer.")


@transaction.atomic
def place_order(user: User) -> Order:
    """Take the cart's products out of stock, write the order down and empty the cart."""
    # The lock on the cart lets a double click order once; the products are locked in one order for all customers, so
    # that two carts with the same products wait for each other instead of deadlocking.
    cart = Cart.objects.select_for_update().filter(user=user).first()
    quantities = dict(cart.lines.values_list("product_id", "quantity")) if cart else {}
    if cart is None or not quantities:
        raise EmptyCartError
    products = list(Product.objects.select_for_update().filter(pk__in=quantities).order_by("pk"))
    for product in products:
        if product.stock < quantities[product.pk]:
            raise OutOfStockError(product)
        product.stock -= quantities[product.pk]

    order = Order.objects.create(user=user, total=sum(p.price * quantities[p.pk] for p in products))
    OrderLine.objects.bulk_create(
        OrderLine(order=order, product=p, quantity=quantities[p.pk], unit_price=p.price) for p in products
    )
    Product.objects.bulk_update(products, ("stock",))
    cart.lines.all().delete()
    # Robust: the order stands even if the message broker is away.
    transaction.on_commit(partial(send_order_confirmation.delay, order.pk), robust=True)
    return order
