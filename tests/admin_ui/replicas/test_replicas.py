"""The card of the replicas: what it shows of real servers, and what its buttons do."""

import os
import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from admin_ui.replicas.sight import why_nothing_is_asked
from demo.waiting import wait_until
from rollout.loading import load_policy
from rollout.models import DrainedReplica, Mode, RoutingRule
from rollout.settings import Refresh
from routers.health import Fitness
from routers.replicas import replicas
from tests.admin_ui.conftest import StaffClient
from tests.admin_ui.support import DASHBOARD, LIVE, flag, messages, queries_of, text
from tests.support import Servers, probing, route

pytestmark = pytest.mark.django_db

DRAIN = f"{DASHBOARD}replicas/drain/"
UNDRAIN = f"{DASHBOARD}replicas/undrain/"


def said(page: str) -> str:
    """Return a page's words with plain spaces."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", page)).split())


def card(client: Client, address: str = DASHBOARD) -> str:
    """Return the words of the card, or of the whole live part, which has it in pieces."""
    page = text(client.get(address))
    found = re.search(r'aria-labelledby="rs-replicas">.*?</section>', page, re.DOTALL)
    return said(found[0] if found else page)


def drained() -> frozenset[str]:
    return load_policy("default").drained


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_replicas_that_serve_are_shown_as_this_process_sees_them(
    servers: Servers, superuser: Client, settings: object
) -> None:
    route("names")
    with probing(settings):
        for address in (DASHBOARD, LIVE):
            shown = card(superuser, address)
            assert f"As process {os.getpid()} on " in shown
            assert shown.count("serves reads · for ") == 2
            assert shown.count("Lag: none.") + shown.count("Lag: at most ") == 2
        assert "does not serve" not in said(text(superuser.get(DASHBOARD)))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_replica_that_is_too_far_behind_is_named_in_the_strip_and_with_its_lag(
    servers: Servers, superuser: Client, settings: object
) -> None:
    route("names")
    with probing(settings, GREATEST_LAG_SECONDS=0.5, RETURN_LAG_SECONDS=0.3):
        lagging = servers.cluster.replicas[0]
        lagging.pause_replay()
        try:
            servers.cluster.primary.query("SELECT pg_logical_emit_message(false, 'test', repeat('x', 100000))")
            wait_until(lambda: replicas.standing("replica1").fitness is Fitness.LAGGING, 15, "replica1 to lag")
            for address in (DASHBOARD, LIVE):
                shown = card(superuser, address)
                assert re.search(
                    r"is too far behind · not serving for .*? Lag: at most \d+\.\d s, \d+ kB of the", shown
                )
                assert "It alone serves the pool “default”." in shown
            assert "it is too far behind." in said(text(superuser.get(DASHBOARD)))
        finally:
            lagging.resume_replay()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_draining_the_last_replica_that_serves_is_allowed_and_says_what_it_means(
    servers: Servers, rollbacker: Client, settings: object
) -> None:
    route("names")
    with probing(settings):
        assert messages(rollbacker.post(DRAIN, {"alias": "replica1"})) == [
            "Replica replica1 drained: it serves no reads."
        ]
        response = rollbacker.post(DRAIN, {"alias": "replica2"})
        assert "No replica of the pool “default” serves any more, so all its reads go to the primary." in messages(
            response
        )
        page = said(text(rollbacker.get(DASHBOARD)))
        assert "No replica of the pool “default” serves, so its reads fall back to the primary “default”." in page
        assert page.count("is fit to serve reads · for ") == 2


def test_without_probing_the_card_says_so_and_nothing_is_a_problem(superuser: Client) -> None:
    shown = card(superuser)
    assert "POLICY_REFRESH is “inline”, which trusts them" in shown
    assert shown.count("has not been asked yet") == 2
    assert "Lag" not in shown
    assert "does not serve" not in said(text(superuser.get(DASHBOARD)))


@pytest.mark.parametrize(
    ("mode", "has_rules", "words"),
    [
        (Refresh.OFF, True, "Nothing is routed in this process"),
        (Refresh.BACKGROUND, False, "There is no rule yet"),
        (Refresh.BACKGROUND, True, "starts with the first read it decides"),
    ],
)
def test_why_a_process_asks_no_server(mode: Refresh, has_rules: bool, words: str) -> None:
    assert words in why_nothing_is_asked(mode, has_rules=has_rules)


def test_draining_asks_nothing_and_shows_who_and_why(rollbacker: Client) -> None:
    response = rollbacker.post(DRAIN, {"alias": "replica1", "reason": " New disk.\0 "})
    assert response["Location"] == DASHBOARD
    assert messages(response)[0] == "Replica replica1 drained (“New disk.”): it serves no reads."
    assert drained() == {"replica1"}
    for address in (DASHBOARD, LIVE):
        assert re.search(
            r"drained for less than 1 s, since \d{4}-\d\d-\d\d \d\d:\d\d, by staff_rollback_routing: New disk\.",
            card(rollbacker, address),
        )
    page = said(text(rollbacker.get(DASHBOARD)))
    assert "The replica “replica1” is drained by staff_rollback_routing (“New disk.”): it serves no reads until" in page


def test_a_reason_is_text_and_nothing_else(rollbacker: Client) -> None:
    rollbacker.post(DRAIN, {"alias": "replica1", "reason": "<script>alert(1)</script>"})
    for address in (DASHBOARD, LIVE):
        assert "<script>alert" not in rollbacker.get(address).content.decode()


def test_draining_twice_changes_nothing_and_says_so(rollbacker: Client) -> None:
    for _ in range(2):
        response = rollbacker.post(DRAIN, {"alias": "replica1"})
    assert messages(response)[-1] == (
        "The replica “replica1” is drained by staff_rollback_routing already, so nothing was changed."
    )
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("alias", ["default", "gone", "", "\0"])
def test_what_is_no_replica_cannot_be_drained(rollbacker: Client, alias: str) -> None:
    assert (
        "is no replica. The replicas are replica1, replica2." in messages(rollbacker.post(DRAIN, {"alias": alias}))[0]
    )
    assert not DrainedReplica.objects.exists()


@pytest.mark.parametrize("address", [DRAIN, UNDRAIN])
def test_viewers_and_get_are_refused(viewer: Client, superuser: Client, address: str) -> None:
    assert viewer.post(address, {"alias": "replica1", "confirm": "1"}).status_code == 403
    assert superuser.get(address).status_code == 405
    assert not DrainedReplica.objects.exists()


def test_letting_it_serve_again_asks_first_and_shows_what_it_does(operator: Client) -> None:
    operator.post(DRAIN, {"alias": "replica1"})
    route("names", gate=flag(percent="25"))
    route("names-async", mode=Mode.OBSERVE)
    page = text(operator.post(UNDRAIN, {"alias": "replica1"}))
    words = said(page)
    assert "Let replica1 serve again?" in words
    assert "it has not been asked yet." in words
    assert "About 50\u202f% of the actors" in page
    assert "Rules that send reads to it: endpoint names (25 %)." in words
    assert drained() == {"replica1"}
    fields = dict(re.findall(r'name="(alias|confirm)" value="([^"]+)"', page))
    response = operator.post(UNDRAIN, fields)
    assert messages(response)[-1] == "Replica replica1 serves reads again."
    assert drained() == frozenset()


def test_the_question_says_when_nothing_moves(operator: Client, settings: object) -> None:
    operator.post(DRAIN, {"alias": "replica1"})
    assert "No rule sends reads to that pool yet." in said(text(operator.post(UNDRAIN, {"alias": "replica1"})))


def test_those_who_only_roll_back_may_not_let_it_serve_again(rollbacker: Client) -> None:
    rollbacker.post(DRAIN, {"alias": "replica1"})
    assert rollbacker.post(UNDRAIN, {"alias": "replica1", "confirm": "1"}).status_code == 403
    assert drained() == {"replica1"}


@pytest.mark.parametrize("alias", ["replica1", "gone", "\0"])
def test_what_is_not_drained_gives_a_message(operator: Client, alias: str) -> None:
    response = operator.post(UNDRAIN, {"alias": alias, "confirm": "1"})
    assert messages(response) == [
        f"The replica “{alias}” is not drained, so nothing was changed. Reload the dashboard."
    ]


def test_an_alias_that_is_no_replica_any_more_is_listed_and_can_be_forgotten(operator: Client) -> None:
    DrainedReplica.objects.create(alias="gone", drained_by="kim")
    assert "Drained, and no replicas any more gone drained for" in card(operator)
    page = said(text(operator.post(UNDRAIN, {"alias": "gone"})))
    assert "“gone” is no replica of the READSHIFT setting any more, so no read moves." in page
    operator.post(UNDRAIN, {"alias": "gone", "confirm": "1"})
    assert drained() == frozenset()


@pytest.mark.parametrize(
    ("permission", "buttons"),
    [
        ("view_routingrule", {"drain": False, "undrain": False}),
        ("rollback_routing", {"drain": True, "undrain": False}),
        ("operate_routing", {"drain": True, "undrain": True}),
    ],
)
def test_everybody_sees_only_the_buttons_they_may_press(
    staff: StaffClient, permission: str, buttons: dict[str, bool]
) -> None:
    DrainedReplica.objects.create(alias="replica2")
    page = text(staff(permission).get(DASHBOARD))
    assert {"drain": f'action="{DRAIN}"' in page, "undrain": f'action="{UNDRAIN}"' in page} == buttons


def test_both_are_in_the_history(operator: Client) -> None:
    operator.post(DRAIN, {"alias": "replica1", "reason": "New disk."})
    operator.post(UNDRAIN, {"alias": "replica1", "confirm": "1"})
    assert list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message")) == [
        ("drained replica replica1", "Replica replica1 drained (“New disk.”): it serves no reads."),
        ("drained replica replica1", "Replica replica1 serves reads again."),
    ]


def test_the_live_part_fits_the_page_that_asks_for_it(superuser: Client) -> None:
    targets = set(re.findall(r'<div id="(rs-[^"]+)" hx-swap-oob', text(superuser.get(LIVE, {"seen": "other"}))))
    assert {"rs-sight", "rs-replays"} < targets
    assert len([name for name in targets if name.startswith("rs-replica-")]) == 2
    page = text(superuser.get(DASHBOARD))
    assert all(f'id="{name}"' in page for name in targets)


def test_draining_asks_open_pages_to_reload(superuser: Client) -> None:
    address = re.search(r'hx-get="([^"]+)"', text(superuser.get(DASHBOARD)))
    assert address
    superuser.post(DRAIN, {"alias": "replica1"})
    assert "Reload it to see them" in text(superuser.get(address[1]))


def test_the_number_of_queries_does_not_grow_with_what_is_drained(superuser: Client) -> None:
    DrainedReplica.objects.create(alias="replica1")
    few = queries_of(superuser, DASHBOARD)
    for alias in ("replica2", "gone"):
        DrainedReplica.objects.create(alias=alias)
    assert queries_of(superuser, DASHBOARD) == few
    assert not RoutingRule.objects.exists()
