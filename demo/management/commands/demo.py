"""`manage.py demo`: the whole demo in one command."""

import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.cluster import ClusterError
from demo.processes import ProcessError
from demo.smoke import run_smoke
from demo.stack import Seed, running_stack
from demo.traffic import Traffic

WELCOME = """
The shop runs at        {url}/
Readshift's dashboard   {url}/admin/readshift_admin/dashboard/
Sign in as              admin / admin, or operator / operator, who may only take reads back

Try this:
  1. Open the dashboard. Forty visitors are shopping, and every read goes to the primary.
  2. Set the catalogue's flag to 50 %: half of the visitors read from the replicas within a second.
  3. Press the red button: every read is back on the primary at once.

The logs are in {logs}
Ctrl-C stops everything.
"""


class Command(BaseCommand):
    help = "Start the demo shop on a real primary and two streaming replicas, with visitors."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--smoke", action="store_true", help="run headless, check everything, and end")
        parser.add_argument("--json", action="store_true", help="with --smoke: say nothing but one line of JSON")
        parser.add_argument("--products", type=int, default=Seed().products, help="how many products the shop sells")

    def handle(self, *_: Any, smoke: bool, json: bool, products: int, **__: Any) -> None:
        if json and not smoke:
            raise CommandError("--json is the form of the result of --smoke. Add --smoke, or leave --json out.")
        # A terminated demo must stop its servers like one that is interrupted.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            if smoke:
                self._smoke(json)
            else:
                self._run(products)
        except (ClusterError, ProcessError, TimeoutError) as error:
            raise CommandError(str(error)) from error

    def _smoke(self, json: bool) -> None:
        outcome = run_smoke((lambda _: None) if json else self._say)
        for failure in outcome.failures:
            self.stderr.write(failure)
        self.stdout.write(outcome.line())
        if outcome.failures:
            sys.exit(1)

    def _run(self, products: int) -> None:
        try:
            with running_stack(Seed(products=products), self._say, quiet=False) as stack, Traffic(stack.url):
                self.stdout.write(WELCOME.format(url=stack.url, logs=stack.logs))
                while not threading.Event().wait(1.0):
                    stack.check()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def _say(self, step: str) -> None:
        self.stdout.write(f"· {step}")
        self.stdout.flush()
