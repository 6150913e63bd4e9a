"""How tokens travel: cookies, a header, and the shared cache."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.redis import RedisCache
from django.http import HttpResponse
from django.test import RequestFactory

from demo.waiting import wait_until
from rollout.settings import get_settings
from routers import carriers
from routers.positions import Floor
from routers.tokens import FOREIGN, NOTHING, Token, decode, encode, lifetime_seconds

HEADER = "X-Readshift-Token"


def token(system: int = 7, lsn: int = 10) -> Token:
    return Token({"default": (Floor(system, 1, lsn=lsn, until=time.time() + 60),)})


def left(actor: str) -> set[tuple[int, int]]:
    """Return system and position of every floor that an actor finds in the cache."""
    return {(floor.system, floor.lsn) for floor in carriers.from_cache(actor).floors_of("default")}


def is_pinned(actor: str) -> bool:
    return carriers.from_cache(actor).pins.get("default", 0.0) > time.time()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, {"samesite": "Lax", "secure": "", "domain": "", "path": "/"}, id="defaults"),
        pytest.param({"SESSION_COOKIE_DOMAIN": ".example.com"}, {"domain": ".example.com"}, id="domain"),
        pytest.param({"SESSION_COOKIE_SECURE": True}, {"secure": True}, id="secure"),
        pytest.param({"SESSION_COOKIE_SAMESITE": "Strict"}, {"samesite": "Strict"}, id="same site"),
        pytest.param({"SESSION_COOKIE_SAMESITE": "None"}, {"samesite": "None"}, id="other sites"),
        pytest.param({"SESSION_COOKIE_PATH": "/shop/"}, {"path": "/shop/"}, id="path"),
    ],
)
def test_our_cookies_go_where_the_session_cookie_goes(
    settings, options: dict[str, object], expected: dict[str, object]
) -> None:
    for name, value in options.items():
        setattr(settings, name, value)
    response = HttpResponse()
    carriers.set_cookie(response, token(), secure=False)
    carriers.set_errand_cookie(response, secure=False)
    for name in (carriers.COOKIE, carriers.ERRAND_COOKIE):
        cookie = response.cookies[name]
        assert cookie["httponly"] is True
        assert {attribute: cookie[attribute] for attribute in expected} == expected


def test_a_cookie_of_a_secure_request_is_secure_and_lives_as_long_as_its_token() -> None:
    response = HttpResponse()
    carriers.set_cookie(response, token(), secure=True)
    cookie = response.cookies[carriers.COOKIE]
    assert cookie["secure"] is True
    assert cookie["max-age"] == round(lifetime_seconds(get_settings()))


def test_a_token_comes_back_in_the_cookie_that_it_left_in(rf: RequestFactory) -> None:
    response, request, sent = HttpResponse(), rf.get("/"), token()
    assert carriers.from_cookie(request) == NOTHING
    carriers.set_cookie(response, sent, secure=False)
    request.COOKIES = {name: cookie.value for name, cookie in response.cookies.items()}
    assert carriers.from_cookie(request) == sent
    request.COOKIES[carriers.COOKIE] = "forged"
    assert carriers.from_cookie(request) == FOREIGN


def test_a_token_travels_in_a_header_only_where_the_project_names_one(rf: RequestFactory, settings) -> None:
    response, sent = HttpResponse(), token()
    request = rf.get("/", headers={HEADER: encode(sent)})
    carriers.set_header(response, sent)
    assert not response.has_header(HEADER)
    assert carriers.from_header(request) == NOTHING
    settings.READSHIFT = {**settings.READSHIFT, "TOKEN_HEADER": HEADER}
    carriers.set_header(response, sent)
    assert decode(response[HEADER], time.time()) == sent
    assert carriers.from_header(request) == sent
    assert carriers.from_header(rf.get("/")) == NOTHING
    assert carriers.from_header(rf.get("/", headers={HEADER: ""})) == FOREIGN


@pytest.fixture(params=["locmem", "valkey"])
def shared(request: pytest.FixtureRequest, settings) -> None:
    """The cache that carries tokens: one after the other, each kind."""
    if request.param == "valkey":
        address = request.getfixturevalue("valkey")
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": address}}
        cache.clear()


@pytest.mark.usefixtures("shared")
class TestCache:
    def test_an_actor_finds_what_was_left_for_it_and_no_other_does(self) -> None:
        carriers.leave_in_cache("ada", token(lsn=10))
        assert left("ada") == {(7, 10)}
        assert left("bob") == set()

    def test_what_is_left_later_follows_what_was_left_before(self) -> None:
        for lsn in (10, 30, 20):
            carriers.leave_in_cache("ada", token(lsn=lsn))
        assert left("ada") == {(7, 30)}

    def test_units_that_leave_tokens_at_once_lose_none(self) -> None:
        together = Barrier(8, timeout=10)

        def leave(system: int) -> None:
            together.wait()
            carriers.leave_in_cache("ada", token(system, lsn=system * 10))
            # Django's caches are one object for each thread.
            caches.close_all()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(leave, range(1, 9)))
        assert left("ada") == {(system, system * 10) for system in range(1, 9)}

    def test_an_errand_keeps_its_actor_on_the_primary_until_it_ends(self) -> None:
        carriers.announce_errand("ada", "one")
        assert is_pinned("ada")
        assert not is_pinned("bob")
        carriers.announce_errand("ada", "two")
        carriers.leave_in_cache("ada", token(lsn=10), "one")
        assert is_pinned("ada")
        carriers.leave_in_cache("ada", token(lsn=20), "two")
        assert not is_pinned("ada")
        assert left("ada") == {(7, 20)}

    def test_errands_that_begin_and_end_at_once_leave_nothing_but_their_tokens(self) -> None:
        def run(system: int) -> None:
            carriers.announce_errand("ada", str(system))
            carriers.leave_in_cache("ada", token(system), str(system))
            caches.close_all()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(run, range(1, 9)))
        assert left("ada") == {(system, 10) for system in range(1, 9)}
        assert not is_pinned("ada")

    def test_an_errand_that_never_ends_expires(self, monkeypatch) -> None:
        monkeypatch.setattr(carriers, "LONGEST_ERRAND_SECONDS", 0.2)
        carriers.announce_errand("ada", "killed")
        assert is_pinned("ada")
        wait_until(lambda: carriers.from_cache("ada") == NOTHING, 10, "the errand to expire")
        carriers.announce_errand("ada", "another")
        assert cache.get("readshift:token:ada")["errands"].keys() == {"another"}

    def test_a_lock_whose_holder_died_holds_up_nobody_for_long(self) -> None:
        cache.add("readshift:token:ada:lock", 1, timeout=600)
        carriers.leave_in_cache("ada", token(lsn=10))
        assert left("ada") == {(7, 10)}

    @pytest.mark.parametrize("entry", ["text", {"token": 7, "errands": {}}, {"token": None}, []])
    def test_an_entry_that_cannot_be_read_means_the_primary(self, entry: object) -> None:
        cache.set("readshift:token:ada", entry)
        assert is_pinned("ada")


def unreachable(settings) -> None:
    """Name a cache that refuses every connection."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert isinstance(caches["default"], RedisCache)


def test_a_cache_that_fails_means_the_primary_and_no_error(settings, caplog) -> None:
    unreachable(settings)
    assert carriers.from_cache("ada").pins.keys() == {"default"}
    assert "go to the primary" in caplog.text
    for call in (
        lambda: carriers.leave_in_cache("ada", token()),
        lambda: carriers.announce_errand("ada", "one"),
    ):
        caplog.clear()
        call()
        assert "may be older" in caplog.text
