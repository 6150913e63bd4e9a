"""Fill the tables, let Readshift route the pages, and empty the cache."""

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.core.management.base import BaseCommand

from benchmarks.failover.app.models import Article, Comment

COMMENTS = 5
CONTRACTS = {"page": "session", "strict": "strict"}


class Command(BaseCommand):
    help = "Make the project ready for a scenario. May be repeated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("keys", nargs="+")
        parser.add_argument("--over-budget", default="", help="what Readshift's rules do over the fallback budget")

    def handle(self, *_: Any, keys: list[str], over_budget: str, **__: Any) -> None:
        if not Article.objects.exists():
            Article.objects.bulk_create(Article(key=key) for key in keys)
            comments = [Comment(article_id=key, text=f"No. {number}") for key in keys for number in range(COMMENTS)]
            Comment.objects.bulk_create(comments)
        if apps.is_installed("rollout"):
            self._create_rules({"over_budget": over_budget} if over_budget else {})
        # No scenario begins with what an earlier one has left in it, such as marks for dead servers.
        cache.clear()

    def _create_rules(self, more: dict[str, str]) -> None:
        # Only Readshift's own project has its tables.
        from rollout.models import Mode, RoutingRule, TargetKind  # noqa: PLC0415
        from rollout.operations import set_kill_switch  # noqa: PLC0415

        RoutingRule.objects.all().delete()
        for target, contract in CONTRACTS.items():
            fields: dict[str, Any] = {"target_kind": TargetKind.ENDPOINT, "mode": Mode.ROUTE, "gate_kind": "", **more}
            rule = RoutingRule(target=target, contract=contract, **fields)
            rule.full_clean()
            rule.save()
        set_kill_switch(active=True)
