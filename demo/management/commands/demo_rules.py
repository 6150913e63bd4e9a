"""`manage.py demo_rules`: create the rules that the demo starts with."""

from typing import Any

from django.contrib.auth.models import Permission, User
from django.core.management.base import BaseCommand

from demo.rules import create_rules

OPERATOR = "operator"
OPERATOR_MAY = ("view_routingrule", "rollback_routing", "view_dashboard")


class Command(BaseCommand):
    help = "Create the demo's rules and flags, and let the operator take reads back. Safe to run again."

    def handle(self, *_: Any, **__: Any) -> None:
        created = create_rules()
        operator = User.objects.filter(username=OPERATOR).first()
        if operator is not None:
            operator.user_permissions.add(*Permission.objects.filter(codename__in=OPERATOR_MAY))
        self.stdout.write(f"{created} rules created.")
