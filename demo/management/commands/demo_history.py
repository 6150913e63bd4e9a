"""`manage.py demo_history`: fill a new demo with a week of history."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from demo.clock import stop_if_told
from demo.history import write_history
from rollout.models import RoutingRule


class Command(BaseCommand):
    help = "Fill the demo with a week of history that never was: rules, plans, events, counts and compared reads."

    def handle(self, *_: Any, **__: Any) -> None:
        if RoutingRule.objects.exists():
            raise CommandError("The demo has rules already. A history is written into a demo that has none yet.")
        stop_if_told()
        write_history(timezone.now())
        self.stdout.write("A week of history written.")
