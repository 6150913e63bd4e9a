"""Fill the shop, sign customers in, and write the rules, closed."""

from pathlib import Path
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from benchmarks.throughput.configurations import ENDPOINTS, FLAG
from benchmarks.throughput.content import CUSTOMERS, ORDERS, PRODUCTS, REVIEWS, SLUGS, USERS, Content
from demo.shop.models import Product
from rollout.models import GateKind, Mode, RoutingRule
from rollout.operations import create_flag, set_kill_switch


class Command(BaseCommand):
    help = "Make the project ready, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where to write what clients need to know")

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        call_command("seed_shop", products=PRODUCTS, reviews=REVIEWS, users=USERS, orders=ORDERS, stdout=self.stdout)
        create_flag(FLAG)
        for endpoint in ENDPOINTS:
            rule = RoutingRule(target=endpoint, mode=Mode.ROUTE, gate_kind=GateKind.FLAG, gate_name=FLAG)
            rule.full_clean()
            rule.save()
        set_kill_switch(active=True)
        slugs = Product.objects.order_by("pk").values_list("slug", flat=True)[:SLUGS]
        customers = User.objects.filter(is_staff=False).order_by("pk")[:CUSTOMERS]
        Content(tuple(slugs), tuple(map(_sign_in, customers))).save(file)


def _sign_in(user: User) -> str:
    """Return the key of a session like the one that a login makes."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)
