"""What the overview and its news cost in queries."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from waffle.models import Flag

from admin_ui.drawing.windows import BUCKET_SECONDS
from rollout.models import Event, Mode, Process, RolloutPlan, RoutingRule
from rollout.plan_states import State
from rollout.reasons import Reason
from tests.admin_ui.overview.test_events import event
from tests.admin_ui.overview.test_processes import process
from tests.admin_ui.support import DASHBOARD, LIVE, count_reads, flag, queries_of, text
from tests.support import Servers, probing, route
from tests.tasks.reporting.reported import store

OVERVIEW_QUERIES, REFRESH_QUERIES = 25, 8
TRANSACTION = 2
"""BEGIN and COMMIT, which are told like queries."""


def fill(count: int) -> None:
    """Store so many rules with a flag, a rollout and reads each, and as many events and processes."""
    now = timezone.now()
    Flag.objects.bulk_create(Flag(name=f"flag{number}", percent="5", superusers=False) for number in range(count))
    rules = RoutingRule.objects.bulk_create(
        RoutingRule(target=f"view{number}", mode=Mode.ROUTE, gate_kind="flag", gate_name=f"flag{number}")
        for number in range(count)
    )
    RolloutPlan.objects.bulk_create(
        RolloutPlan(
            rule=rule,
            gate_name=rule.gate_name,
            stages=[{"percent": "5", "minimum_seconds": 60, "minimum_sample": 1}],
            state=State.RUNNING,
            stage_began_at=now - timedelta(hours=1),
            looked_at=now,
        )
        for rule in rules
    )
    Event.objects.bulk_create(event(subject=f"flag{number}") for number in range(count))
    Process.objects.bulk_create(process(number, 1, now=now) for number in range(count))
    for rule in rules:
        count_reads(3, endpoint=rule.target, reason=Reason.GATE_OFF)
        store(2, endpoint=rule.target)


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", BUCKET_SECONDS)
@pytest.mark.parametrize("address", [DASHBOARD, LIVE])
def test_it_takes_as_many_queries_for_many_rules_as_for_one(superuser: Client, address: str, minutes: int) -> None:
    fill(1)
    few = queries_of(superuser, f"{address}?minutes={minutes}")
    RolloutPlan.objects.all().delete()
    RoutingRule.objects.all().delete()
    Flag.objects.all().delete()
    fill(60)
    assert queries_of(superuser, f"{address}?minutes={minutes}") == few


def test_a_process_that_holds_the_policy_asks_little(servers: Servers, settings: Any) -> None:
    user = User.objects.create_user("operator", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["operate_routing", "view_routingrule"]))
    client = Client()
    client.force_login(user)
    route("names", gate=flag(percent="5"))
    count_reads(5, endpoint="names", reason=Reason.GATE_OFF)
    with probing(settings):
        for minutes in BUCKET_SECONDS:
            assert queries_of(client, f"{DASHBOARD}?minutes={minutes}") <= OVERVIEW_QUERIES
            assert queries_of(client, f"{LIVE}?minutes={minutes}") <= REFRESH_QUERIES + TRANSACTION


@pytest.mark.django_db
def test_what_does_not_change_is_in_no_live_region(viewer: Client) -> None:
    route("names")
    count_reads(5, reason=Reason.GATE_OFF)
    page = text(viewer.get(DASHBOARD))
    assert page.count("aria-live=") == 2
    for name in ("rs-status", "rs-details"):
        assert f'id="{name}" aria-live="polite"' in page
    seen = viewer.get(DASHBOARD).context["page"].seen
    news = text(viewer.get(LIVE, {"seen": seen}))
    assert "aria-live" not in news
    assert "rs-details" not in news.replace("rs-details--", "")
