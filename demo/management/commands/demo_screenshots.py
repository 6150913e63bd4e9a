"""`manage.py demo_screenshots`: take the pictures in `docs/screenshots`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from demo.browser import MISSING, find_browser
from demo.cluster import ClusterError
from demo.processes import ProcessError
from demo.screenshots import FOLDER, take_screenshots


class Command(BaseCommand):
    help = "Take pictures of all pages with the machine's own Chromium, and put them into docs/screenshots."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        program = find_browser()
        if program is None:
            raise CommandError(MISSING)
        try:
            taken = take_screenshots(program, lambda step: self.stdout.write(f"· {step}"))
        except (ClusterError, ProcessError, TimeoutError) as error:
            raise CommandError(str(error)) from error
        size = sum(file.stat().st_size for file in taken)
        self.stdout.write(f"{len(taken)} pictures of {size / 1e6:.1f} MB in {FOLDER}.")
