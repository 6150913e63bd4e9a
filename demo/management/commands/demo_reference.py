"""`manage.py demo_reference`: write `docs/settings.md` from the code."""

from typing import Any

from django.core.management.base import BaseCommand

from demo.reference import FILE, reference


class Command(BaseCommand):
    help = "Write docs/settings.md from the code that reads the setting."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        FILE.write_text(reference())
        self.stdout.write(f"Wrote {FILE}.")
