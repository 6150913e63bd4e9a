"""`manage.py demo`: the whole demo in one command."""

import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.cluster import ClusterError
from demo.processes import ProcessError
from demo.settings import METRICS_TOKEN
from demo.smoke import run_smoke
from demo.stack import Seed, running_stack
from demo.traffic import Traffic

VISITORS = 200
WELCOME = """
The shop runs at        {url}/
Readshift's dashboard   {url}/admin/readshift_admin/dashboard/
Sign in as              admin / admin, or operator / operator, who may only take reads back
Metrics for Prometheus  {url}/readshift/metrics/, with the bearer token {token}

Try this:
  1. Open the dashboard. {visitors} visitors are shopping, and every read goes to the primary.
  2. Set the catalogue's flag to 50 %: half of the visitors browse on the replicas within a second.
  3. Press the red button: every read is back on the primary at once.

The logs are in {logs}
Ctrl-C stops everything.
"""


def _interrupt(*_: object) -> None:
    # Once is enough: whoever presses it again must not interrupt the stopping.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


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
        # A terminated demo must stop its servers like one that is interrupted, and a shell may have it ignore Ctrl-C.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        try:
            if smoke:
                self._smoke(json)
            else:
                self._run(products)
        except (ClusterError, ProcessError, TimeoutError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
            sys.exit(1 if smoke else 0)

    def _smoke(self, json: bool) -> None:
        outcome = run_smoke((lambda _: None) if json else self._say)
        for failure in outcome.failures:
            self.stderr.write(failure)
        self.stdout.write(outcome.line())
        if outcome.failures:
            sys.exit(1)

    def _run(self, products: int) -> None:
        seed = Seed(products=products)
        with running_stack(seed, self._say, quiet=False) as stack, Traffic(stack.url, users=VISITORS):
            self.stdout.write(WELCOME.format(url=stack.url, token=METRICS_TOKEN, logs=stack.logs, visitors=VISITORS))
            while not threading.Event().wait(1.0):
                stack.check()

    def _say(self, step: str) -> None:
        self.stdout.write(f"· {step}")
        self.stdout.flush()
