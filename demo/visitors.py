"""What a visitor of the sample shop does next, what it sends for that, and what it learns from the answer.

Everything here is a function of its arguments; `demo.traffic` brings it to the wire.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    import requests

Fields = dict[str, str | int]

READ_MIX: Mapping[str, float] = {
    "shop:product-list": 25,
    "shop:product-detail": 40,
    "shop:search": 10,
    "shop:api-products": 10,
}
# Only customers write; with their share of the visitors, about one operation in twenty of all is a write.
DEFAULT_MIX: Mapping[str, float] = {
    **READ_MIX,
    "shop:report": 0.5,
    "shop:cart": 5,
    "shop:order-list": 5,
    "shop:order-detail": 5,
    "shop:cart-add": 8,
    "shop:checkout": 4,
    "shop:product-review": 3,
}
CUSTOMERS_ONLY = frozenset(
    ("shop:cart", "shop:cart-add", "shop:checkout", "shop:order-list", "shop:order-detail", "shop:product-review")
)

LOGIN = "shop:login"
PATHS = {
    LOGIN: "/login/",
    "shop:product-list": "/",
    "shop:product-detail": "/products/{product}/",
    "shop:product-review": "/products/{product}/review/",
    "shop:search": "/search/",
    "shop:api-products": "/api/products/",
    "shop:report": "/report/",
    "shop:cart": "/cart/",
    "shop:cart-add": "/cart/add/{product}/",
    "shop:cart-remove": "/cart/remove/{cart_line}/",
    "shop:checkout": "/checkout/",
    "shop:order-list": "/orders/",
    "shop:order-detail": "/orders/{order}/",
}
POSTS = frozenset((LOGIN, "shop:product-review", "shop:cart-add", "shop:cart-remove", "shop:checkout"))

SEARCHES = ("mug", "linen", "oak bowl", "indigo", "lamp", "brass", "planter", "alder", "wool throw", "teapot")
OPINIONS = ("Made to last.", "Good value.", "Smaller than I thought.", "A pleasure to use.")
PASSWORD = "shop"
LARGEST_CART = 5
SIGNED_OUT = "sent to the sign-in page"

PRODUCT_LINK = re.compile(r'href="/products/([-\w]+)/"')
REMOVE_FORM = re.compile(r'action="/cart/remove/([-\w]+)/"')
CART_ADD_PATH = re.compile(r"/cart/add/([-\w]+)/$")
ORDER_PATH = re.compile(r"/orders/(\d+)/")


@dataclass
class Visitor:
    """What a simulated person knows and has."""

    name: str
    customer: bool
    signed_in: bool = False
    giving_up: bool = False
    api_after: int = 0
    cart: list[str] = field(default_factory=list)
    products: deque[str] = field(default_factory=lambda: deque(maxlen=50))
    orders: deque[str] = field(default_factory=lambda: deque(maxlen=10))


def next_action(visitor: Visitor, mix: Mapping[str, float], rng: Random) -> str:
    """The endpoint that the visitor turns to: one drawn from the mix, or what has to come before it."""
    choices = [name for name in mix if visitor.customer or name not in CUSTOMERS_ONLY]
    wish = rng.choices(choices, [mix[name] for name in choices])[0]
    if visitor.giving_up:
        wish = "shop:cart-remove" if visitor.cart else "shop:cart"
    elif wish == "shop:checkout" and not visitor.cart:
        wish = "shop:cart-add"
    elif wish == "shop:cart-add" and len(visitor.cart) >= LARGEST_CART:
        wish = "shop:checkout"

    if (wish in CUSTOMERS_ONLY or visitor.giving_up) and not visitor.signed_in:
        return LOGIN
    if "{product}" in PATHS[wish] and not visitor.products:
        return "shop:api-products"
    if "{order}" in PATHS[wish] and not visitor.orders:
        return "shop:order-list"
    return wish


def path_of(endpoint: str, visitor: Visitor, rng: Random) -> str:
    """Where the endpoint is, for something that the visitor knows of."""
    return PATHS[endpoint].format(
        product=rng.choice(visitor.products or [""]),
        order=rng.choice(visitor.orders or [""]),
        cart_line=visitor.cart[-1] if visitor.cart else "",
    )


def fields_of(endpoint: str, visitor: Visitor, rng: Random) -> Fields:
    """What the visitor fills in: the query string or the form."""
    fields: Fields = {}
    match endpoint:
        case "shop:login":
            fields = {"username": visitor.name, "password": PASSWORD}
        case "shop:product-list":
            fields = {"page": rng.randint(1, 20)}
        case "shop:search":
            fields = {"q": rng.choice(SEARCHES)}
        case "shop:api-products":
            fields = {"after": visitor.api_after, "limit": 50}
        case "shop:product-review":
            fields = {"rating": rng.randint(1, 5), "text": rng.choice(OPINIONS)}
        case "shop:cart-add":
            fields = {"quantity": rng.randint(1, 2)}
    return fields


def fault_of(method: str, status: int, location: str) -> str | None:
    """What is wrong with an answer: pages must come as such, and forms must lead on to somewhere else."""
    if urlsplit(location).path == PATHS[LOGIN]:
        return SIGNED_OUT
    expected = HTTPStatus.FOUND if method == "POST" else HTTPStatus.OK
    return None if status == expected else f"answered {status}"


def learn(visitor: Visitor, endpoint: str, answer: requests.Response) -> None:
    """Take from a faultless answer what later actions need."""
    match endpoint:
        case "shop:login":
            visitor.signed_in = answer.is_redirect
        case "shop:product-list" | "shop:search":
            visitor.products.extend(PRODUCT_LINK.findall(answer.text))
        case "shop:api-products":
            page = answer.json()
            visitor.api_after = page["next"] or 0
            visitor.products.extend(product["slug"] for product in page["results"])
        case "shop:order-list":
            visitor.orders.extend(ORDER_PATH.findall(answer.text))
        case "shop:cart-add":
            visitor.cart += CART_ADD_PATH.findall(answer.url)
        case "shop:cart-remove":
            visitor.cart.pop()
        case "shop:cart":
            visitor.cart = REMOVE_FORM.findall(answer.text)
        case "shop:checkout":
            placed = ORDER_PATH.findall(answer.headers["Location"])
            visitor.orders.extend(placed)
            visitor.cart = []
            # Refused because stock ran out: this customer looks at the cart again and empties it.
            visitor.giving_up = not placed
    if endpoint in {"shop:cart", "shop:cart-remove"} and not visitor.cart:
        visitor.giving_up = False
