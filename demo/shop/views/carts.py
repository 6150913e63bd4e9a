"""Filling the cart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from demo.shop.forms import MOST_PER_CLICK, CartForm
from demo.shop.models import Cart, CartLine, Product
from demo.shop.views.access import CustomerRequest, customers_post

if TYPE_CHECKING:
    from django.http import HttpResponse


@require_safe
@login_required
def cart(request: CustomerRequest) -> HttpResponse:
    """What the customer is about to buy."""
    lines = list(CartLine.objects.filter(cart__user=request.user).select_related("product__category"))
    return render(request, "shop/cart.html", {"lines": lines, "total": sum(line.amount for line in lines)})


@customers_post
def cart_add(request: CustomerRequest, slug: str) -> HttpResponse:
    """Put a product in the cart."""
    product = get_object_or_404(Product, slug=slug)
    form = CartForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Please choose between 1 and {MOST_PER_CLICK} pieces.")
        return redirect(product)
    own_cart, _ = Cart.objects.get_or_create(user=request.user)
    own_cart.add(product, form.cleaned_data["quantity"])
    messages.success(request, f"“{product.name}” is in your cart.")
    return redirect("shop:cart")


@customers_post
def cart_remove(request: CustomerRequest, slug: str) -> HttpResponse:
    """Take a product out of the cart."""
    CartLine.objects.filter(cart__user=request.user, product__slug=slug).delete()
    return redirect("shop:cart")
