"""Which pages the throughput benchmark asks for, in which turns, and what its visitors keep."""

import os
import subprocess
import sys
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.systems import OWN, SYSTEMS
from benchmarks.throughput.browsers import Browsers, Cookies
from benchmarks.throughput.configurations import NOBODY, PRIMARY_ONLY, TWO, WITH_WRITES, configurations
from benchmarks.throughput.measures import tree_seconds
from benchmarks.throughput.mix import REVIEW, Dealer, deck
from benchmarks.throughput.runner import SETTLING_SECONDS, SWITCH_SECONDS, WINDOW_SECONDS, schedule
from demo.visitors import READ_MIX

DICE = Random(1)  # noqa: S311 - repeatable


@pytest.mark.parametrize("writes", [False, True])
def test_a_deck_has_the_mix_of_the_demo(writes: bool) -> None:
    cards = Counter(deck(writes=writes))
    assert all(cards[endpoint] == 2 * weight for endpoint, weight in READ_MIX.items())
    assert cards["shop:report"] == 1
    assert 0.04 <= cards[REVIEW] / cards.total() <= 0.06 if writes else not cards[REVIEW]


@given(start=st.integers(0, 170), length=st.integers(20, 60))
def test_any_piece_of_a_deck_has_that_mix_to_within_two_cards(start: int, length: int) -> None:
    cards = deck(writes=False)
    piece = Counter((cards * 2)[start : start + length])
    for endpoint, count in Counter(cards).items():
        assert abs(piece[endpoint] - length * count / len(cards)) <= 2


def test_a_dealer_goes_round_and_each_begins_elsewhere() -> None:
    first, second = Dealer(["a", "b", "c", "d"]), Dealer(["a", "b", "c", "d"], 0.5)
    assert [first.next() for _ in range(5)] == ["b", "c", "d", "a", "b"]
    assert second.next() == "d"


def test_every_system_is_measured_and_readshift_by_its_flag_alone() -> None:
    found = configurations(writes=False)
    assert {each.system for each in found.values()} == {*SYSTEMS, NOBODY}
    assert found[PRIMARY_ONLY].system == NOBODY
    assert (found[TWO].system, found[TWO].percent, found[TWO].replicas) == (OWN, 66.7, 2)
    assert configurations(writes=True)[TWO + WITH_WRITES].writes


@given(seconds=st.floats(0, 2000), count=st.integers(1, 20))
def test_a_schedule_keeps_to_its_time_and_has_long_windows_rather_than_many(seconds: float, count: int) -> None:
    planned = schedule(seconds, count)
    assert planned.rounds == 1 or planned.window >= WINDOW_SECONDS - 1e-6
    total = planned.rounds * count * (SWITCH_SECONDS + SETTLING_SECONDS + planned.window)
    assert total <= seconds or planned.rounds == 1


def test_a_browser_keeps_what_it_is_given_and_forgets_what_it_is_told_to() -> None:
    cookies = Cookies({"a": "1"})
    cookies.take([("Set-Cookie", "b=2; Path=/; HttpOnly"), ("Content-Type", "text/html")])
    assert cookies.header() == "a=1; b=2"
    cookies.take([("Set-Cookie", "a=; Max-Age=0; Path=/")])
    assert cookies.header() == "b=2"


class Application:
    """Answers as told, and keeps what it was asked."""

    def __init__(self, status: str, *headers: tuple[str, str]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.closed = 0
        self._answer = status, list(headers)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.asked.append(environ)
        start_response(*self._answer)
        return self

    def __iter__(self) -> Any:
        return iter([b"page"])

    def close(self) -> None:
        self.closed += 1


def test_guests_read_by_their_names_and_end_every_request() -> None:
    shop = Application("200 OK", ("Set-Cookie", "token=t; Path=/"))
    browsers = Browsers(shop, [7], ["key"], ["a-mug"])
    assert browsers.visit("shop:product-detail", 0.0, DICE) is None
    browsers.visit("shop:product-list", 0.0, DICE)
    first, second = shop.asked
    assert (first["REQUEST_METHOD"], first["PATH_INFO"], first["HTTP_COOKIE"]) == ("GET", "/products/a-mug/", "")
    assert (second["HTTP_USER_AGENT"], second["HTTP_COOKIE"]) == ("guest-7", "token=t")
    assert shop.closed == 2


def test_customers_write_with_their_session_and_what_went_wrong_is_told() -> None:
    shop = Application("403 Forbidden")
    assert Browsers(shop, [7], ["key"], ["a-mug"]).visit(REVIEW, 0.0, DICE) == "answered 403"
    (asked,) = shop.asked
    assert (asked["REQUEST_METHOD"], asked["PATH_INFO"]) == ("POST", "/products/a-mug/review/")
    assert "sessionid=key" in asked["HTTP_COOKIE"]
    assert b"rating=" in asked["wsgi.input"].read()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_the_time_of_children_counts_while_they_live_and_afterwards() -> None:
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    before = tree_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", busy], check=True)  # noqa: S603 - a constant command
    assert tree_seconds(os.getpid()) - before >= 0.45
