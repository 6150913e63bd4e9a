"""Helpers of the tests of the pages."""

from datetime import datetime, timedelta
from html import unescape
from typing import Any

from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from waffle.models import Flag

from admin_ui.drawing.windows import Window
from admin_ui.overview.counts import read_counts
from admin_ui.overview.distribution import Distribution, distribution
from rollout.models import GateKind, RoutingRule, Tally, TallyKind
from rollout.reasons import Reason
from rollout.settings import get_settings

DASHBOARD = "/admin/readshift_admin/dashboard/"
LIVE = f"{DASHBOARD}live/"
KILL = f"{DASHBOARD}kill-switch/"
RULES = "/admin/readshift/routingrule/"
ADD_RULE = f"{RULES}add/"


def mode_url(pk: int) -> str:
    return reverse("admin:readshift_set_mode", args=[pk])


def share_url(pk: int) -> str:
    return reverse("admin:readshift_set_share", args=[pk])


def rule_url(rule: RoutingRule) -> str:
    return f"{RULES}{rule.pk}/change/"


def rule_data(**changes: str) -> dict[str, str]:
    """Return what a browser sends for a rule that observes an endpoint."""
    values = {
        "target_kind": "endpoint",
        "target": "shop:product-list",
        "mode": "observe",
        "gate_kind": "",
        "gate_name": "",
        "pool": "default",
        "contract": "session",
        "over_budget": "primary",
        "shadow_percent": "0",
        "shadow_per_second": "20",
        "note": "",
    }
    return values | changes


def flag(name: str = "products", percent: str | None = None, everyone: bool | None = None) -> tuple[str, str]:
    """Create a flag that opens for a percentage, or for everyone or nobody, and return it as a rule's gate."""
    Flag.objects.create(name=name, percent=percent, everyone=everyone, superusers=False)
    return GateKind.FLAG, name


def count_reads(
    count: int,
    *,
    alias: str = "default",
    endpoint: str = "shop:product-list",
    model: str = "shop.Product",
    reason: str = Reason.NO_RULE,
    candidate: str = "",
    starts_at: datetime | None = None,
    span_seconds: int = 10,
    kind: str = TallyKind.READ,
) -> None:
    """Store one tally, of ten seconds a minute ago unless told otherwise."""
    Tally.objects.create(
        starts_at=starts_at or timezone.now() - timedelta(minutes=1),
        span_seconds=span_seconds,
        kind=kind,
        cluster="default",
        alias=alias,
        endpoint=endpoint,
        model=model,
        reason=reason,
        candidate=candidate,
        count=count,
    )


def read_reads(minutes: int = 15) -> Distribution:
    """Return where reads ran in the last minutes."""
    window = Window.until(timezone.now(), minutes)
    return distribution(window, read_counts(window, "default"), get_settings())


def queries_of(client: Client, address: str) -> int:
    """Return how many queries a page takes, once the process has read the policy that the page itself is decided by."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def text(response: Any) -> str:
    """Return a page as text, with its entities resolved."""
    return unescape(response.content.decode())


def messages(response: Any) -> list[str]:
    """Return what the response tells the user, after a redirect or before it."""
    return [str(message) for message in get_messages(response.wsgi_request)]
