"""Reads of many shapes, as Django projects write them. Each takes dice, and reads what they show."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, F, Q, Sum, Window
from django.db.models.functions import Now, RowNumber, TruncDay
from django.db.models.functions import Random as Dice

from benchmarks.shadow.app.content import COLOURS, DAYS, FIRST_DAY, ITEMS, KINDS, MOVING, code_of, photo_of
from benchmarks.shadow.app.models import Item, Maker

_ZONES = ("Asia/Kathmandu", "America/St_Johns", "Europe/Berlin", "UTC")

Shape = Callable[[Random], Iterable[object]]


def _moment(dice: Random) -> datetime:
    return FIRST_DAY + timedelta(minutes=dice.randrange(DAYS * 24 * 60))


def _key(dice: Random) -> Iterable[object]:
    return Item.objects.filter(pk=dice.randint(1, ITEMS))


def _filtered(dice: Random) -> Iterable[object]:
    return Item.objects.filter(kind=dice.choice(KINDS), stock__gte=dice.randrange(50)).order_by("name", "pk")


def _unordered(dice: Random) -> Iterable[object]:
    return Item.objects.filter(shelf=MOVING, stock__lt=dice.randint(1, 10))


def _ties(dice: Random) -> Iterable[object]:
    return Item.objects.filter(stock__gte=dice.randrange(10)).order_by("kind")[:10]


def _paged(dice: Random) -> Iterable[object]:
    begin = dice.randrange(100)
    return Item.objects.order_by("-added", "pk")[begin : begin + 20]


def _aggregated(_: Random) -> Iterable[object]:
    kinds = Item.objects.values("kind")
    return list(kinds.annotate(items=Count("pk"), worth=Sum(F("price") * F("stock")), mean=Avg("price")))


def _weighed(dice: Random) -> Iterable[object]:
    return [Item.objects.filter(kind=dice.choice(KINDS)).aggregate(Avg("weight"), Sum("weight"))]


def _counted(dice: Random) -> Iterable[object]:
    items = Item.objects.filter(Q(kind=dice.choice(KINDS)) | Q(tags__overlap=[dice.choice(COLOURS)]))
    return [items.count(), items.exists()]


def _joined(dice: Random) -> Iterable[object]:
    return Item.objects.select_related("maker").filter(maker__name__lt=f"Maker {dice.randrange(20):02}")[:30]


def _prefetched(dice: Random) -> Iterable[object]:
    return Item.objects.prefetch_related("remarks").filter(pk__in=dice.sample(range(1, ITEMS), 5)).order_by("pk")


def _grouped(dice: Random) -> Iterable[object]:
    makers = Maker.objects.annotate(items=Count("item", filter=Q(item__stock__gt=dice.randrange(25))))
    return makers.order_by("-items", "name")[:5]


def _listed(dice: Random) -> Iterable[object]:
    return Item.objects.filter(pk__in=dice.sample(range(1, ITEMS), 20))


def _dated(dice: Random) -> Iterable[object]:
    return Item.objects.filter(added__date=_moment(dice).date()).order_by("pk")


def _zoned(dice: Random) -> Iterable[object]:
    days = Item.objects.annotate(day=TruncDay("added", tzinfo=ZoneInfo(dice.choice(_ZONES))))
    return list(days.values("day").annotate(items=Count("pk")).order_by("day"))


def _since(dice: Random) -> Iterable[object]:
    return Item.objects.filter(added__gte=_moment(dice)).values_list("pk", "added")


def _past(dice: Random) -> Iterable[object]:
    return Item.objects.filter(added__lt=Now(), stock=dice.randrange(50)).order_by("pk")


def _decimal(dice: Random) -> Iterable[object]:
    least = Decimal(dice.randrange(10_000)) / 100
    return Item.objects.filter(price__range=(least, least + 10)).order_by("price", "pk").values_list("pk", "price")


def _tagged(dice: Random) -> Iterable[object]:
    return Item.objects.filter(tags__contains=[dice.choice(COLOURS)]).order_by("pk")


def _attributed(dice: Random) -> Iterable[object]:
    return Item.objects.filter(attributes__colour=dice.choice(COLOURS), attributes__size__gt=dice.randrange(9))


def _coded(dice: Random) -> Iterable[object]:
    return Item.objects.filter(code=code_of(dice.randint(1, ITEMS)))


def _ranged(dice: Random) -> Iterable[object]:
    return Item.objects.filter(sizes__contains=dice.randrange(60)).order_by("pk")


def _pictured(dice: Random) -> Iterable[object]:
    return Item.objects.filter(photo=photo_of(dice.randint(1, ITEMS))).order_by("pk")


def _numbered(dice: Random) -> Iterable[object]:
    items = Item.objects.filter(kind=dice.choice(KINDS))
    placed = items.annotate(place=Window(RowNumber(), order_by=["-stock", "pk"]))
    return list(placed.values_list("pk", "stock", "place"))


def _united(dice: Random) -> Iterable[object]:
    kinds = dice.sample(KINDS, 2)
    few, many = (Item.objects.filter(kind=kind).values_list("name", "stock") for kind in kinds)
    return few.union(many)


def _chance(_: Random) -> Iterable[object]:
    return Item.objects.annotate(dice=Dice()).order_by("dice")[:3]


SHAPES: dict[str, Shape] = {
    "key": _key,
    "filtered": _filtered,
    "unordered": _unordered,
    "ties": _ties,
    "paged": _paged,
    "aggregated": _aggregated,
    "weighed": _weighed,
    "counted": _counted,
    "joined": _joined,
    "prefetched": _prefetched,
    "grouped": _grouped,
    "listed": _listed,
    "dated": _dated,
    "zoned": _zoned,
    "since": _since,
    "past": _past,
    "decimal": _decimal,
    "tagged": _tagged,
    "attributed": _attributed,
    "coded": _coded,
    "ranged": _ranged,
    "pictured": _pictured,
    "numbered": _numbered,
    "united": _united,
    "chance": _chance,
}
"""By name. `chance` is there to be left out: it need not answer the same twice."""
