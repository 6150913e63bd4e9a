"""The traffic on the sample shop: what visitors decide, and that the shop can answer all of it."""

from __future__ import annotations

import socket
from contextlib import suppress
from random import Random
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command

from demo.shop.models import CartLine, Order, Product, Review
from demo.traffic import DEFAULT_MIX, READ_MIX, Pace, Report, Traffic
from demo.visitors import CUSTOMERS_ONLY, LOGIN, PATHS, POSTS, SIGNED_OUT, Visitor, fault_of, next_action
from demo.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.live_server_helper import LiveServer


def dice(seed: int = 1) -> Random:
    return Random(seed)  # noqa: S311 repeatable, not secret


def guest() -> Visitor:
    return Visitor("user1", customer=False)


def customer() -> Visitor:
    visitor = Visitor("user2", customer=True, signed_in=True)
    visitor.products.append("blue-mug")
    visitor.orders.append("7")
    visitor.cart.append("blue-mug")
    return visitor


# Decisions


def test_the_same_seed_makes_the_same_choices() -> None:
    def choices(seed: int) -> list[str]:
        rng = dice(seed)
        return [next_action(customer(), DEFAULT_MIX, rng) for _ in range(50)]

    assert choices(1) == choices(1)
    assert choices(1) != choices(2)


def test_guests_never_do_what_needs_an_account() -> None:
    rng = dice()
    chosen = {next_action(guest(), DEFAULT_MIX, rng) for _ in range(500)}
    assert chosen <= set(READ_MIX) | {"shop:report"}


def test_customers_do_everything_in_the_mix() -> None:
    rng = dice()
    assert {next_action(customer(), DEFAULT_MIX, rng) for _ in range(3000)} == set(DEFAULT_MIX)


@pytest.mark.parametrize(
    ("wish", "change", "expected"),
    [
        ("shop:cart", {"signed_in": False}, LOGIN),
        ("shop:product-list", {"signed_in": False}, "shop:product-list"),
        ("shop:checkout", {"cart": []}, "shop:cart-add"),
        ("shop:checkout", {"cart": [], "products": []}, "shop:api-products"),
        ("shop:cart-add", {"cart": ["mug"] * 5}, "shop:checkout"),
        ("shop:product-detail", {"products": []}, "shop:api-products"),
        ("shop:order-detail", {"orders": []}, "shop:order-list"),
        ("shop:search", {"giving_up": True}, "shop:cart-remove"),
        ("shop:search", {"giving_up": True, "cart": []}, "shop:cart"),
        ("shop:search", {"giving_up": True, "signed_in": False}, LOGIN),
    ],
)
def test_what_has_to_come_first_comes_first(wish: str, change: dict[str, object], expected: str) -> None:
    visitor = customer()
    for name, value in change.items():
        setattr(visitor, name, value)
    assert next_action(visitor, {wish: 1}, dice()) == expected


def test_about_one_operation_in_twenty_is_a_write() -> None:
    rng = dice()
    visitors = [customer() if number < 40 else guest() for number in range(100)]
    actions = [next_action(visitor, DEFAULT_MIX, rng) for visitor in visitors for _ in range(200)]
    assert 0.03 < sum(action in POSTS for action in actions) / len(actions) < 0.08


@pytest.mark.parametrize(
    ("method", "status", "location", "fault"),
    [
        ("GET", 200, "", None),
        ("POST", 302, "/cart/", None),
        ("GET", 404, "", "answered 404"),
        ("GET", 503, "", "answered 503"),
        ("GET", 302, "/elsewhere/", "answered 302"),
        ("POST", 200, "", "answered 200"),
        ("GET", 302, "/login/?next=/cart/", SIGNED_OUT),
        ("POST", 302, "http://shop.test/login/?next=/cart/", SIGNED_OUT),
    ],
)
def test_what_counts_as_a_fault(method: str, status: int, location: str, fault: str | None) -> None:
    assert fault_of(method, status, location) == fault


def test_the_pace_is_even_and_does_not_burst_after_a_silence() -> None:
    pace = Pace(0.5, 10.0)
    assert [pace.delay(now) for now in (10.0, 10.0, 11.2)] == [0, 0.5, 0], "a late turn comes at once"
    assert pace.delay(11.2) == pytest.approx(0.3), "and the next at its own time"
    assert [pace.delay(100.0) for _ in range(4)] == [0, 0, 0, 0.5], "one second is caught up with, no more"


@pytest.mark.parametrize("options", [{"users": 0}, {"workers": 0}, {"rate": 0.0}, {"mix": {}}])
def test_traffic_that_cannot_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Traffic("http://127.0.0.1", **options)  # type: ignore[arg-type]


# On the wire


@pytest.fixture
def shop(live_server: LiveServer) -> str:
    call_command("seed_shop", products=40, reviews=30, users=6, orders=10, verbosity=0)
    return live_server.url


def run(traffic: Traffic, until: Callable[[Report], bool], seconds: float = 30) -> Report:
    """Let the traffic run until the report says so, or for this long."""
    with traffic, suppress(TimeoutError):
        wait_until(lambda: until(traffic.report()), seconds, "the traffic")
    return traffic.report()


@pytest.mark.django_db(transaction=True)
def test_every_endpoint_is_reached_without_errors(shop: str) -> None:
    expected = {*DEFAULT_MIX, LOGIN}
    mix = dict.fromkeys(DEFAULT_MIX, 1.0)
    traffic = Traffic(shop, users=6, workers=2, rate=None, mix=mix)
    report = run(traffic, lambda report: expected <= report.by_endpoint.keys() or report.errors > 0)
    assert report.failures == ()
    assert report.errors == 0
    assert expected <= report.by_endpoint.keys() <= PATHS.keys()
    assert report.requests == sum(report.by_endpoint.values())
    assert report.by_endpoint[LOGIN] <= 2 * 6, "a visitor signs in once: the form, and sending it"
    assert Order.objects.count() > 10
    assert Review.objects.count() >= 30


@pytest.mark.django_db(transaction=True)
def test_customers_give_up_a_cart_that_cannot_be_ordered(shop: str) -> None:
    Product.objects.update(stock=0)
    mix = {"shop:cart-add": 1.0, "shop:checkout": 1.0}
    traffic = Traffic(shop, users=1, workers=1, rate=None, mix=mix)
    report = run(traffic, lambda report: report.by_endpoint.get("shop:cart-remove", 0) > 1 or report.errors > 0)
    assert report.errors == 0, report.failures
    assert report.by_endpoint["shop:cart-remove"] > 1
    assert Order.objects.count() == 10
    assert CartLine.objects.count() <= 5


@pytest.mark.django_db(transaction=True)
def test_reads_alone_need_no_account(shop: str) -> None:
    traffic = Traffic(shop, users=6, workers=2, rate=None, mix=READ_MIX)
    report = run(traffic, lambda report: READ_MIX.keys() <= report.by_endpoint.keys() or report.errors > 0)
    assert report.errors == 0, report.failures
    assert set(report.by_endpoint) == set(READ_MIX)
    assert not CUSTOMERS_ONLY & READ_MIX.keys()


@pytest.mark.django_db(transaction=True)
def test_the_rate_is_kept(shop: str) -> None:
    traffic = Traffic(shop, users=6, workers=2, rate=20, mix={"shop:api-products": 1})
    report = run(traffic, lambda _: False, seconds=2)
    assert 20 <= report.requests <= 45


@pytest.mark.django_db(transaction=True)
def test_customers_whose_sessions_end_are_noticed_and_sign_in_again(shop: str) -> None:
    traffic = Traffic(shop, users=1, workers=1, rate=None, mix={"shop:cart": 1})
    with traffic:
        wait_until(lambda: traffic.report().by_endpoint.get("shop:cart", 0) > 0, 30, "a look at the cart")
        assert traffic.report().errors == 0
        Session.objects.all().delete()
        wait_until(lambda: traffic.report().by_endpoint[LOGIN] == 4, 30, "everybody to sign in again")
    report = traffic.report()
    assert report.failures == (f"shop:cart: {SIGNED_OUT}",)


def test_a_server_that_is_away_is_counted_and_not_hammered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    traffic = Traffic(f"http://127.0.0.1:{port}", users=2, workers=2, rate=None)
    report = run(traffic, lambda _: False, seconds=1.2)
    assert 2 <= report.errors == report.requests <= 8
    assert "ConnectionError" in report.failures[0]


def test_traffic_stops_between_turns_and_starts_once() -> None:
    traffic = Traffic("http://127.0.0.1:1", users=2, workers=2, rate=0.01)
    traffic.start()
    with pytest.raises(RuntimeError, match="already"):
        traffic.start()
    stopping = Thread(target=traffic.stop, daemon=True)
    stopping.start()
    # The next turn of a worker is minutes away.
    wait_until(lambda: not stopping.is_alive(), 30, "the traffic to stop")
