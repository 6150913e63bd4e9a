"""Nothing that a client sends chooses a database, other than forcing the primary."""

import time
from collections.abc import Mapping

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from demo.shop.models import Product
from rollout.models import Tally
from rollout.reasons import Reason
from routers.agent import Agent
from routers.carriers import COOKIE, ERRAND_COOKIE
from routers.current import current_unit
from routers.meter import meter
from routers.middleware import ReadshiftMiddleware
from routers.positions import Floor
from routers.tokens import FOREIGN, NOTHING, Token, decode, encode, pinned
from routers.whereabouts import ask
from tests.support import Servers, decisions, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

HEADER = "X-Readshift-Token"
REASONS = {Reason.ROUTED, Reason.BEHIND, Reason.FOREIGN_TOKEN}


@pytest.fixture
def page(shop: Servers, settings) -> Servers:
    """The shop with a routed page, in a project that reads tokens from a header, too."""
    settings.READSHIFT = {**settings.READSHIFT, "TOKEN_HEADER": HEADER}
    route("names")
    return shop


def tokens_of_others() -> list[str]:
    """Return what other clients of this project carry."""
    position = ask("default").position
    assert position is not None
    floor = Floor(position.system, position.timeline, lsn=position.lsn, until=time.time() + 600)
    ahead = Floor(position.system, position.timeline, lsn=position.lsn + 10**9, until=time.time() + 600)
    elsewhere = Floor(position.system, position.timeline + 1, lsn=1, until=time.time() + 600)
    expired = Floor(position.system, position.timeline, lsn=position.lsn + 10**9, until=1.0)
    return [
        encode(NOTHING),
        *(encode(Token({"default": (each,)})) for each in (floor, ahead, elsewhere, expired)),
        encode(Token({"replica2": (ahead,)})),
        encode(pinned(["default"], time.time() + 600)),
        encode(pinned(["replica1", "nowhere"], time.time() + 600)),
    ]


def alias_for(path: str, cookies: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return where a request of one and the same client reads, with these extras."""
    found: list[str] = []

    def read(_: object) -> HttpResponse:
        unit = current_unit()
        assert unit is not None
        unit.enter_endpoint("names")
        found.append(Product.objects.all()[:1][0]._state.db or "")
        return HttpResponse()

    sent = {name: value for name, value in headers.items() if name.lower() not in {"host", "cookie"}}
    request = RequestFactory().get(path, headers=sent)
    request.COOKIES.update(cookies)
    ReadshiftMiddleware(read)(request)
    return found[0]


NAMES = st.sampled_from([COOKIE, ERRAND_COOKIE, "readshift", "dwf_names", "default", "replica1", "replica2", "alias"])
PLAIN = st.one_of(
    st.sampled_from(["default", "replica1", "replica2", "primary", "1", "0", "true", "", "any", "bounded:1"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
)


@st.composite
def values(draw: st.DrawFn, tokens: list[str]) -> str:
    """Draw a value: anything, a token of somebody else, or one that was tampered with."""
    text = draw(st.one_of(PLAIN, st.sampled_from(tokens)))
    if text and draw(st.booleans()):
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.sampled_from("aZ09-_:.")) + text[at + 1 :]
    return text


def test_whatever_a_client_sends_its_read_goes_where_it_would_go_or_to_the_primary(page: Servers) -> None:
    tokens = tokens_of_others()
    page.settle()
    # A client whose traits name it, so that nothing it adds makes it somebody else.
    traits = {"user-agent": "ada", "accept-language": "en"}
    expected = alias_for("/test/names/", {}, traits)
    assert expected.startswith("replica")
    meter.take()
    headers = st.sampled_from([HEADER, "X-Readshift", "X-Database", "Readshift", "X-Replica", "X-HTTP-Method-Override"])

    @examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        cookies=st.dictionaries(NAMES, values(tokens), max_size=3),
        extra=st.dictionaries(headers, values(tokens), max_size=2),
        query=st.dictionaries(NAMES, PLAIN, max_size=2),
    )
    def holds(cookies: dict[str, str], extra: dict[str, str], query: dict[str, str]) -> None:
        path = RequestFactory().get("/test/names/", query).get_full_path()
        alias = alias_for(path, cookies, {**traits, **extra})
        found = set(decisions())
        sent = [text for text in (cookies.get(COOKIE), extra.get(HEADER)) if text is not None]
        if any(decode(text, time.time()) == FOREIGN for text in sent):
            assert (alias, found) == ("default", {Reason.FOREIGN_TOKEN})
        else:
            assert (alias, found) in ((expected, {Reason.ROUTED}), ("default", {Reason.BEHIND}))

    holds()


def test_a_forged_token_is_counted_as_one_and_replaced_by_one_of_ours(page: Servers) -> None:
    client = Client()
    client.cookies[COOKIE] = "forged:token"
    meter.take()
    with page.watch() as reads:
        assert client.get("/test/names/").status_code == 200
    assert (reads.primary, reads.replicas) == (1, 0)
    Agent(meter).flush()
    assert set(Tally.objects.filter(model="shop.Product").values_list("alias", "reason")) == {
        ("default", Reason.FOREIGN_TOKEN)
    }


def test_the_token_of_somebody_else_shows_its_bearer_no_more_than_waiting_for_the_replica(page: Servers) -> None:
    ada, bob = Client(headers={"user-agent": "ada"}), Client(headers={"user-agent": "bob"})
    ada.get("/test/written/save/")
    bob.cookies[COOKIE] = ada.cookies[COOKIE].value
    page.settle()
    with page.watch() as reads:
        bob.get("/test/names/")
    assert (reads.primary, reads.replicas) == (0, 1)


def test_an_actors_key_cannot_be_chosen_to_find_what_others_left(page: Servers) -> None:
    """The errand cookie makes us look into the cache, and nothing more: the key is ours."""
    client = Client()
    client.cookies[ERRAND_COOKIE] = "readshift:token:somebody"
    with page.watch() as reads:
        client.get("/test/names/")
    assert (reads.primary, reads.replicas) == (0, 1)
