"""Fill the tables: articles, a user with sessions, and a rule for each page, under a flag."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand
from django.utils import timezone

from benchmarks.overhead.app.models import Article
from benchmarks.overhead.content import ARTICLES, ENDPOINTS, FLAG, PERCENT, SESSIONS, session_key
from rollout.models import GateKind, Mode, RoutingRule
from rollout.operations import create_flag, set_kill_switch, set_share


class Command(BaseCommand):
    help = "Make the project ready, once."

    def handle(self, *_: Any, **__: Any) -> None:
        _fill()
        set_kill_switch(active=True)


def _fill() -> None:
    now = timezone.now()
    Article.objects.bulk_create(
        Article(pk=number, title=f"No. {number}", body="A few words. " * 20, price=Decimal(number), created=now)
        for number in range(1, ARTICLES + 1)
    )
    user = User.objects.create_user("reader")
    data = SessionStore().encode(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
    )
    Session.objects.bulk_create(
        Session(session_key=session_key(number), session_data=data, expire_date=now + timedelta(days=1))
        for number in range(SESSIONS)
    )
    create_flag(FLAG)
    for endpoint in ENDPOINTS:
        rule = RoutingRule(target=endpoint, mode=Mode.ROUTE, gate_kind=GateKind.FLAG, gate_name=FLAG)
        rule.full_clean()
        rule.save()
    set_share(GateKind.FLAG, FLAG, Decimal(PERCENT))
