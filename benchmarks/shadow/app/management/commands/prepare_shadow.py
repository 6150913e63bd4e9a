"""Fill the tables, and have reads captured."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand
from django.db.backends.postgresql.psycopg_any import NumericRange

from benchmarks.shadow.app.content import COLOURS, DAYS, FIRST_DAY, ITEMS, KINDS, MOVING, code_of, photo_of
from benchmarks.shadow.app.models import Counter, Item, Maker, Remark
from benchmarks.shadow.app.planted import PLANTED
from benchmarks.shadow.app.rules import Capturing, rules
from rollout.models import RoutingRule, TargetKind
from rollout.operations import set_kill_switch
from rollout.settings import get_settings

MAKERS = 20
ON_A_SHELF = 40
_STARTS = ("Äpfel", "ant", "Bee", "bee", "cat", "Cow", "dog", "éclair", "Zoo", "zebra")


class Command(BaseCommand):
    help = "Make the project ready for a phase. May be repeated."

    def handle(self, *_: Any, **__: Any) -> None:
        if not Item.objects.exists():
            Maker.objects.bulk_create(Maker(name=f"Maker {number:02}") for number in range(MAKERS))
            Item.objects.bulk_create(_items())
            Remark.objects.bulk_create(
                Remark(item_id=number, text=f"No. {count}") for number in range(1, ITEMS + 1) for count in range(3)
            )
            Counter.objects.create(key="counter")
        RoutingRule.objects.all().delete()
        pools = {pool for cluster in get_settings().clusters.values() for pool in cluster.pools}
        for wanted in rules(pools):
            rule = _rule(wanted)
            rule.full_clean()
            rule.save()
        set_kill_switch(active=True)


def _items() -> Iterator[Item]:
    shelves = [*[MOVING] * ITEMS, *(fault for fault in PLANTED for _ in range(ON_A_SHELF))]
    for number, shelf in enumerate(shelves, start=1):
        yield Item(
            shelf=shelf,
            maker_id=number % MAKERS + 1,
            name=f"{_STARTS[number % len(_STARTS)]} {number}",
            kind=KINDS[number % len(KINDS)],
            price=Decimal(number * 37 % 11_000) / 100,
            stock=number % 50,
            weight=number / 7,
            tags=[COLOURS[number % len(COLOURS)], f"tag, {number % 5}"],
            attributes={"colour": COLOURS[number % len(COLOURS)], "size": number % 10, "note": None},
            code=code_of(number),
            sizes=NumericRange(number % 50, number % 50 + 10),
            photo=photo_of(number),
            added=FIRST_DAY + timedelta(minutes=number * 13 % (DAYS * 24 * 60)),
        )


def _rule(wanted: Capturing) -> RoutingRule:
    rule = RoutingRule(target_kind=TargetKind.ENDPOINT, target=wanted.target, mode=wanted.mode, gate_kind="")
    rule.pool, rule.shadow_percent = wanted.pool, wanted.percent
    if wanted.per_second is not None:
        rule.shadow_per_second = wanted.per_second
    return rule
