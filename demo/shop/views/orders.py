"""Placing orders and looking them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from demo.shop.checkout import CheckoutError, place_order
from demo.shop.models import Order
from demo.shop.views.access import CustomerRequest, customers_post
from demo.shop.views.paging import paginate

if TYPE_CHECKING:
    from django.http import HttpResponse

ORDERS_PER_PAGE = 20


@customers_post
def checkout(request: CustomerRequest) -> HttpResponse:
    """Order what is in the cart."""
    try:
        order = place_order(request.user)
    except CheckoutError as error:
        messages.error(request, str(error))
        return redirect("shop:cart")
    messages.success(request, "Thank you for your order.")
    return redirect(order)


@require_safe
@login_required
def order_list(request: CustomerRequest) -> HttpResponse:
    """The customer's orders, newest first."""
    # Django drops a model's own ordering from a query that groups.
    orders = Order.objects.filter(user=request.user).annotate(pieces=Sum("lines__quantity")).order_by("-created", "-pk")
    return render(request, "shop/order_list.html", paginate(request, orders, ORDERS_PER_PAGE))


@require_safe
@login_required
def order_detail(request: CustomerRequest, pk: int) -> HttpResponse:
    """One of the customer's orders."""
    order = get_object_or_404(Order, pk=pk, user=request.user)
    lines = order.lines.select_related("product__category")
    return render(request, "shop/order_detail.html", {"order": order, "lines": lines})
