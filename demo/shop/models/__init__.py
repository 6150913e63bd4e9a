"""What the shop sells, and what its customers do with it."""

from demo.shop.models.carts import Cart, CartLine
from demo.shop.models.catalogue import Category, Product, Tag
from demo.shop.models.orders import Order, OrderLine
from demo.shop.models.reviews import Review

__all__ = ["Cart", "CartLine", "Category", "Order", "OrderLine", "Product", "Review", "Tag"]
