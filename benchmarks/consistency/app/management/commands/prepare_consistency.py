"""Fill the tables, and let Readshift route every read of the project."""

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from benchmarks.consistency.app.models import Document, Register

READ_ENDPOINTS = ("read", "list", "document", "consistency.read")


class Command(BaseCommand):
    help = "Create the registers, documents and users of a consistency run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name in ("registers", "documents", "users"):
            parser.add_argument(f"--{name}", nargs="*", default=[])

    def handle(self, *_: Any, registers: list[str], documents: list[str], users: list[str], **__: Any) -> None:
        Register.objects.bulk_create(Register(key=key) for key in registers)
        Document.objects.bulk_create(Document(key=key) for key in documents)
        User.objects.bulk_create(User(username=name) for name in users)
        if apps.is_installed("rollout"):
            self._create_rules()

    def _create_rules(self) -> None:
        # Only Readshift's own project has its tables.
        from rollout.models import Mode, RoutingRule, TargetKind  # noqa: PLC0415
        from rollout.operations import set_kill_switch  # noqa: PLC0415

        for target in READ_ENDPOINTS:
            rule = RoutingRule(target_kind=TargetKind.ENDPOINT, target=target, mode=Mode.ROUTE, gate_kind="")
            rule.full_clean()
            rule.save()
        set_kill_switch(active=True)
