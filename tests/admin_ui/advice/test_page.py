"""The page of advice, and that of a baseline."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from rollout.models import Baseline, EndpointCount
from rollout.windows import bucket_of
from tests.admin_ui.conftest import StaffClient
from tests.admin_ui.support import DASHBOARD, count_reads, queries_of, text
from tests.support import route

pytestmark = pytest.mark.django_db

ADVICE = f"{DASHBOARD}advice/"


def used(endpoint: str = "shop:product-list", milliseconds: float = 10, units: int = 1_000, **counts: int) -> None:
    """Record units of an endpoint, of a few minutes ago, and as many reads on the primary."""
    at = timezone.now() - timedelta(minutes=3)
    EndpointCount.objects.create(
        starts_at=at, span_seconds=10, endpoint=endpoint, units=units,
        durations={bucket_of(milliseconds / 1_000): units}, **counts,
    )  # fmt: skip
    count_reads(units, endpoint=endpoint, starts_at=at)


def keep(minutes_ago: int = 60) -> Baseline:
    now = timezone.now()
    return Baseline.objects.create(
        name="before", made_at=now, made_by="ann",
        starts_at=now - timedelta(minutes=minutes_ago + 30), ends_at=now - timedelta(minutes=minutes_ago),
        endpoints={"shop:product-list": {
            "units": 1_000, "failed": 0, "safe_writes": 0, "writes_after_reads": 0, "with_token": 0, "reads": 1_000,
            "on_replicas": 0, "durations": {str(bucket_of(0.01)): 1_000},
        }},
    )  # fmt: skip


def test_it_ranks_endpoints_and_leads_to_their_rules(superuser: Client) -> None:
    rule = route("shop:search", mode="observe")
    used()
    used("shop:cart", safe_writes=500)
    used("shop:search", units=900)
    page = text(superuser.get(ADVICE))
    found = [page.index(f'class="rs-name">{name}') for name in ("shop:product-list", "shop:search", "shop:cart")]
    assert found == sorted(found)
    assert "?target_kind=endpoint&target=shop%3Aproduct-list&mode=observe" in page
    assert f'href="/admin/readshift/routingrule/{rule.pk}/change/"' in page
    assert "50 % of 1 000 units wrote" in page.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "Risk: high" in page
    assert 'aria-current="page">Advice' in page


def test_the_form_that_it_leads_to_is_filled_in(superuser: Client) -> None:
    used()
    found = re.search(r'href="(/admin/readshift/routingrule/add/[^"]+)"', superuser.get(ADVICE).content.decode())
    assert found is not None
    form = superuser.get(unescape(found[1])).context["adminform"].form
    assert [form[name].value() for name in ("target_kind", "target", "mode")] == [
        "endpoint",
        "shop:product-list",
        "observe",
    ]


def test_who_may_not_see_rules_is_told_nothing_of_them(staff: StaffClient) -> None:
    used()
    client = staff("view_dashboard")
    for address in (ADVICE, f"{ADVICE}baselines/{keep().pk}/"):
        assert client.get(address).status_code == 403
    assert ADVICE not in text(client.get(DASHBOARD))
    page = text(staff("view_dashboard", "rollback_routing").get(ADVICE))
    assert "Observe first" in page
    assert "/admin/readshift/routingrule/add/" not in page


@pytest.mark.parametrize(("asked", "current"), [("1440", "1 day"), ("7", "1 hour"), ("x", "1 hour")])
def test_it_looks_as_far_back_as_it_offers(superuser: Client, asked: str, current: str) -> None:
    page = text(superuser.get(ADVICE, {"minutes": asked}))
    assert f'aria-current="true">{current}</a>' in page
    assert "No read of any endpoint was counted in this time." in page


def test_its_queries_do_not_grow_with_endpoints(superuser: Client) -> None:
    used()
    few = queries_of(superuser, ADVICE)
    for number in range(20):
        used(f"endpoint-{number}")
    assert queries_of(superuser, ADVICE) == few


def test_a_baseline_is_compared_with_what_came_later(superuser: Client) -> None:
    baseline = keep()
    used(milliseconds=30)
    page = text(superuser.get(ADVICE))
    assert f'href="{ADVICE}baselines/{baseline.pk}/"' in page
    page = text(superuser.get(f"{ADVICE}baselines/{baseline.pk}/")).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "1 of 1 endpoint is worse by more than 25 %." in page
    assert 'class="rs-bad">worse' in page
    assert "# Baseline `before` compared" in page


def test_one_that_has_hardly_ended_has_nothing_to_be_compared_with(superuser: Client) -> None:
    page = text(superuser.get(f"{ADVICE}baselines/{keep(minutes_ago=5).pk}/"))
    assert "overlaps that of the baseline" in page


def test_one_that_is_gone_is_not_found(superuser: Client) -> None:
    assert superuser.get(f"{ADVICE}baselines/7/").status_code == 404


@pytest.mark.parametrize("address", [ADVICE, f"{ADVICE}baselines/7/"])
def test_who_may_not_see_the_dashboard_sees_neither(staff: StaffClient, address: str) -> None:
    assert staff("view_user").get(address).status_code == 403
