"""Fill the table, and route the page under a flag that is on for nobody."""

from typing import Any

from django.core.management.base import BaseCommand

from benchmarks.propagation.app.models import Article
from benchmarks.propagation.app.views import SHOWN
from benchmarks.propagation.changes import FLAG
from rollout.models import GateKind, Mode, RoutingRule
from rollout.operations import create_flag, set_kill_switch


class Command(BaseCommand):
    help = "Make the project ready, once."

    def handle(self, *_: Any, **__: Any) -> None:
        Article.objects.bulk_create(Article(pk=number, title=f"No. {number}") for number in range(1, SHOWN + 1))
        create_flag(FLAG)
        rule = RoutingRule(target="page", mode=Mode.ROUTE, gate_kind=GateKind.FLAG, gate_name=FLAG)
        rule.full_clean()
        rule.save()
        set_kill_switch(active=True)
