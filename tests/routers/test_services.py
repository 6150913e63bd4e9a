"""Tokens that travel between services in a header."""

import pytest
from django.test import Client

from demo.shop.models import Category, Product
from rollout.reasons import Reason
from routers.blocks import unit_of_work
from routers.carriers import COOKIE
from routers.services import adopt, outgoing_headers
from tests.edge_cases.conftest import behind
from tests.support import Servers, decisions, route

__all__ = ["behind"]

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

HEADER = "X-Readshift-Token"


@pytest.fixture
def with_header(settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "TOKEN_HEADER": HEADER}


def reason_of_names(behind: Servers, **headers: str) -> str:
    """Return why a client that sends these headers is served where it is."""
    decisions()
    assert Client().get("/test/names/", headers={"user-agent": "another", **headers}).status_code == 200
    (reason,) = decisions()
    return reason


@pytest.mark.usefixtures("with_header")
def test_a_service_that_is_called_shows_what_the_caller_wrote(behind: Servers) -> None:
    route("names")
    with unit_of_work("caller"):
        assert outgoing_headers() == {}
        Category.objects.create(name="Coffee", slug="coffee")
        headers = outgoing_headers()
    assert reason_of_names(behind, **headers) == Reason.BEHIND
    assert reason_of_names(behind) == Reason.ROUTED


@pytest.mark.usefixtures("with_header")
def test_a_service_that_calls_shows_what_the_called_one_wrote(behind: Servers, client: Client) -> None:
    route("nightly")
    response = client.get("/test/read-write-read/")
    with unit_of_work("nightly"):
        assert Product.objects.first()
        adopt(response.headers)
        decisions()
        assert Product.objects.first()
        assert decisions() == {Reason.BEHIND: 1}


@pytest.mark.usefixtures("with_header")
def test_a_header_that_is_not_ours_means_the_primary_and_is_counted(shop: Servers) -> None:
    route("names")
    assert reason_of_names(shop, **{HEADER: "forged"}) == Reason.FOREIGN_TOKEN


def test_without_the_option_no_header_is_read_or_sent(behind: Servers, client: Client) -> None:
    route("names")
    response = client.get("/test/read-write-read/")
    assert HEADER not in response.headers
    assert COOKIE in response.cookies
    assert reason_of_names(behind, **{HEADER: "forged"}) == Reason.ROUTED
    with unit_of_work("caller"):
        Category.objects.create(name="Coffee", slug="coffee")
        assert outgoing_headers() == {}


def test_outside_a_unit_there_is_nothing_to_tell(with_header: None) -> None:
    assert outgoing_headers() == {}
    adopt({HEADER: "forged"})
