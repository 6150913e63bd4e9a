"""What the dashboard says about reads that forged or foreign tokens send to the primary."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from rollout.models import Tally
from rollout.reasons import Reason
from routers.carriers import COOKIE
from routers.meter import meter, tallies
from tests.admin_ui.support import DASHBOARD, LIVE, count_reads, text
from tests.support import Servers, route

pytestmark = pytest.mark.django_db

QUIET = "No read was sent here by a forged or foreign token."


def alert(page: str) -> str:
    """Return the words of the highlight with plain spaces, or nothing."""
    found = re.search(r'<div class="rs-alert".*?</div>', page, re.DOTALL)
    return " ".join(re.sub("<[^>]*>", " ", found[0]).split()) if found else ""


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_without_any_it_is_said_in_one_quiet_line(superuser: Client, address: str) -> None:
    count_reads(15)
    page = text(superuser.get(address))
    assert f'<p class="rs-quiet rs-note">{QUIET}</p>' in page
    assert alert(page) == ""


def test_without_any_read_nothing_is_said(superuser: Client) -> None:
    page = text(superuser.get(DASHBOARD))
    assert QUIET not in page
    assert alert(page) == ""


@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_one_is_highlighted_with_its_count_its_share_and_what_to_do(superuser: Client, address: str) -> None:
    count_reads(12, reason=Reason.FOREIGN_TOKEN)
    count_reads(1988, alias="replica1", reason=Reason.ROUTED)
    page = text(superuser.get(address))
    said = alert(page)
    assert said.startswith(
        "Attention 12 of 2 000 reads (0.6 %) went to the primary because of a token that is not ours."
    )
    for noun in ("nobody sees old data", "SECRET_KEY_FALLBACKS", "services or workers", "making up cookies"):
        assert noun in said
    assert QUIET not in page


def test_the_highlight_stands_in_the_card_of_the_reasons_and_is_named_for_those_who_do_not_see_it(
    superuser: Client,
) -> None:
    count_reads(12, reason=Reason.FOREIGN_TOKEN)
    page = text(superuser.get(LIVE))
    card = page[page.index('aria-labelledby="rs-reasons"') :]
    assert 'role="note" aria-labelledby="rs-foreign-tokens"' in card
    assert card.count('id="rs-foreign-tokens"') == page.count("rs-alert__word") == 1
    assert card.index("rs-alert") < card.index("<table")


def test_a_share_that_is_nearly_nothing_is_not_shown_as_nothing(superuser: Client) -> None:
    count_reads(1, reason=Reason.FOREIGN_TOKEN)
    count_reads(1999, alias="replica1", reason=Reason.ROUTED)
    assert "1 of 2 000 reads (less than 0.1 %)" in alert(text(superuser.get(DASHBOARD)))


def test_it_counts_the_chosen_time_only(superuser: Client) -> None:
    count_reads(1, reason=Reason.FOREIGN_TOKEN, starts_at=timezone.now() - timedelta(minutes=30))
    assert alert(text(superuser.get(DASHBOARD))) == ""
    assert "1 of 1 reads" in alert(text(superuser.get(DASHBOARD, {"minutes": "60"})))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_forged_cookie_shows_on_the_dashboard(servers: Servers, client: Client, superuser: Client) -> None:
    route("names")
    client.cookies[COOKIE] = "forged"
    with servers.watch() as reads:
        client.get("/test/names/")
    assert (reads.primary, reads.replicas) == (1, 0)
    Tally.objects.bulk_create(tallies(meter.take(), timezone.now()))
    assert "1 of 1 reads (100.0 %)" in alert(text(superuser.get(DASHBOARD)))
