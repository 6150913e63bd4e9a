"""`manage.py seed_shop`: give the sample shop something to sell and somebody to sell it to."""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from demo.shop import seed
from demo.shop.models import Product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEFAULT_SIZES = seed.Sizes(products=20_000, reviews=40_000, users=500, orders=8_000)


class Command(BaseCommand):
    """Fill the shop once; running it again changes nothing unless it is told to start afresh."""

    help = "Fill the sample shop with products, customers, reviews and orders."

    def add_arguments(self, parser: CommandParser) -> None:
        for name, default in vars(DEFAULT_SIZES).items():
            parser.add_argument(f"--{name}", type=int, default=default, help=f"number of {name} (default: {default})")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same shop (default: 1)")
        parser.add_argument("--fresh", action="store_true", help="empty the shop first")

    def handle(self, *_args: Any, **options: Any) -> None:
        sizes = seed.Sizes(**{name: options[name] for name in vars(DEFAULT_SIZES)})
        if min(vars(sizes).values()) < 0:
            raise CommandError("A number of rows cannot be negative.")
        if options["fresh"]:
            seed.clear()
        # On the primary whatever the router says: a replica may not have heard of the products yet.
        elif count := Product.objects.using(DEFAULT_DB_ALIAS).count():
            self.stdout.write(f"The shop has {count:,} products already; use --fresh to start again.")
            return

        started = time.monotonic()
        with progress_bars() if self.stdout.isatty() else nullcontext(self.write_step) as progress:
            seed.Seeder(sizes, options["seed"], timezone.now(), progress).run()
        seed.analyze()
        self.stdout.write(f"The shop is ready after {time.monotonic() - started:.1f} s.")

    def write_step(self, label: str, done: int, total: int) -> None:
        """Say what has been filled, once it is full."""
        if done == total:
            self.stdout.write(f"{total:>8,} {label}")


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar per step, for people."""
    tasks: dict[str, TaskID] = {}
    with Progress(TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn()) as bars:

        def advance(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done)

        yield advance
