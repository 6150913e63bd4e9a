"""`manage.py demo_history`: fill a new demo with a week of history."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from demo.history import write_history
from rollout.models import RoutingRule


class Command(BaseCommand):
    help = "Fill the demo with a week of history that never was: rules, plans, events, counts and compared reads."

    def handle(self, *_: Any, **__: Any) -> None:
        if RoutingRule.objects.exists():
            raise CommandError("The demo has rules already. A history is written into a demo that has none yet.")
        write_history(timezone.now())
        # What it adds are the operator's permissions.
        call_command("demo_rules", verbosity=0)
        self.stdout.write("A week of history written.")
