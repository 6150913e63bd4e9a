"""Having a worker compare a read again: the button, the message, and what comes of it."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from django.db import transaction
from django.test import Client
from django.utils import timezone

from admin_ui.shadow_pages import repeating
from benchmarks.processes import free_port
from rollout.models import ShadowRead
from rollout.outcomes import Outcome, ShadowCause
from tasks.comparing.repeats import AGAIN, PATIENCE, ask
from tasks.shadow import COMPARE_ASKED, compare_asked
from tests.admin_ui.shadow_pages.support import DETAILS, detail, diverged, page
from tests.admin_ui.support import messages
from tests.routers.test_courier import current_app_on
from tests.routers.test_courier import messages as sent
from tests.support import Servers
from tests.tasks.reporting.reported import sealed, store

BUTTON = "Have a worker compare it again"


@pytest.fixture
def broker() -> Iterator[Celery]:
    with current_app_on("memory://", "again") as app:
        yield app


def press(client: Client, read: ShadowRead) -> Any:
    return client.post(f"{detail(read)}compare-again/")


def asked(read: ShadowRead, ago: timedelta = timedelta()) -> None:
    with transaction.atomic():
        ask(read, timezone.now() - ago, "default")


@pytest.mark.django_db
class TestButton:
    def test_a_message_names_the_read_and_holds_nothing_else(self, rollbacker: Client, broker: Celery) -> None:
        (read,) = diverged()
        assert BUTTON in page(rollbacker, detail(read))
        assert press(rollbacker, read)["Location"] == detail(read)
        assert sent(broker) == [(COMPARE_ASKED, [read.pk])]
        found = page(rollbacker, detail(read))
        assert "no worker has answered yet" in found
        assert BUTTON not in found

    def test_pressing_it_twice_sends_one_message(self, rollbacker: Client, broker: Celery) -> None:
        (read,) = diverged()
        press(rollbacker, read)
        assert "is to be compared again already" in messages(press(rollbacker, read))[-1]
        assert len(sent(broker)) == 1

    def test_what_nobody_takes_up_can_be_asked_for_again(self, rollbacker: Client) -> None:
        (read,) = diverged()
        asked(read, PATIENCE)
        found = page(rollbacker, detail(read))
        assert "no worker has answered within 5 minutes" in found
        assert BUTTON in found

    def test_a_broker_that_refuses_is_told_with_the_command(self, rollbacker: Client) -> None:
        (read,) = diverged()
        with current_app_on(f"redis://127.0.0.1:{free_port()}/0", "nowhere"):
            response = press(rollbacker, read)
        assert response.status_code == 302
        assert f"Run manage.py readshift replay {read.pk} instead." in messages(response)[0]
        read.refresh_from_db()
        assert read.details == DETAILS

    def test_a_broker_that_does_not_answer_is_not_waited_for(
        self, rollbacker: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(repeating, "LONGEST_SEND_SECONDS", 0.2)
        (read,) = diverged()
        with (
            socket.create_server(("127.0.0.1", 0)) as silent,
            current_app_on(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", "nowhere"),
        ):
            assert "it did not answer" in messages(press(rollbacker, read))[0]
        read.refresh_from_db()
        assert read.details == DETAILS

    def test_viewers_have_no_button_and_may_not_press_it(self, viewer: Client, broker: Celery) -> None:
        (read,) = diverged()
        assert BUTTON not in page(viewer, detail(read))
        assert press(viewer, read).status_code == 403
        assert sent(broker) == []

    def test_a_read_whose_statement_went_is_refused(self, rollbacker: Client, broker: Celery) -> None:
        for (read,) in (store(1), diverged(age=timedelta(days=8))):
            assert BUTTON not in page(rollbacker, detail(read))
            assert "its statement is not kept any more" in messages(press(rollbacker, read))[-1]
        assert sent(broker) == []


@pytest.mark.django_db
def test_a_message_about_what_nobody_asked_for_runs_nothing() -> None:
    (fresh,), (late,), (gone,), (answered,) = diverged(), diverged(), diverged(sealed=None), diverged()
    for read, ago in ((late, PATIENCE), (gone, timedelta()), (answered, timedelta())):
        asked(read, ago)
    answered.details[AGAIN]["outcome"] = Outcome.EQUAL
    answered.save()
    for pk in (fresh.pk, late.pk, gone.pk, answered.pk, 4_711, "1", True, None, [fresh.pk]):
        assert compare_asked(pk) is False


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_answer_of_the_servers_stands_beside_the_first_one(servers: Servers, rollbacker: Client) -> None:
    servers.settle()
    (read,) = diverged(cause=ShadowCause.ORDER, sealed=sealed(b"SELECT 1"))
    asked(read)
    assert compare_asked(read.pk) is True
    found = page(rollbacker, detail(read))
    assert "Compared again at " in found
    assert ": Equal, with replica" in found
    assert "Divergent: the replica differs where the primary does not change" in found
    read.refresh_from_db()
    assert (read.outcome, read.details[AGAIN]["rows"], read.details["missing"]) == (Outcome.DIVERGENT, 1, 1)
    assert compare_asked(read.pk) is False
    assert BUTTON in found
