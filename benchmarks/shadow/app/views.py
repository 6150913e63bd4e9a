"""The pages. None of them writes."""

from http import HTTPStatus
from random import Random

from django.db.models import Count
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from benchmarks.shadow.app.content import ITEMS, KINDS
from benchmarks.shadow.app.models import Bulk, Counter, Item, Remark
from benchmarks.shadow.app.planted import PLANTED
from benchmarks.shadow.app.rules import MODES
from benchmarks.shadow.app.shapes import SHAPES
from routers.agent import agent


@require_GET
def ready(_: HttpRequest) -> JsonResponse:
    """Say whether this process has read its policy. Until then it captures nothing."""
    policy, _obstacle = agent.state()
    status = HTTPStatus.SERVICE_UNAVAILABLE if policy is None else HTTPStatus.OK
    return JsonResponse({"revision": policy and policy.revision}, status=status)


@require_GET
def shapes(_: HttpRequest) -> JsonResponse:
    """Tell where all shapes are read, each under a rule of every mode. `{seed}` stands for a number."""
    return JsonResponse({"paths": [f"{mode}/{shape}/{{seed}}" for mode in MODES for shape in SHAPES]})


@require_GET
def read(_: HttpRequest, shape: str, seed: int) -> JsonResponse:
    """Read in one shape."""
    return JsonResponse({"rows": len(list(SHAPES[shape](Random(seed))))})  # noqa: S311 - repeatable traffic


@require_GET
def planted(_: HttpRequest, fault: str) -> JsonResponse:
    """Read what a fault was planted in."""
    return JsonResponse({"rows": len(list(PLANTED[fault](fault)))})


@require_GET
def page(_: HttpRequest, seed: int) -> JsonResponse:
    """Show an item with what was said about it, what else there is of its kind, and how much of each kind there is."""
    item = Item.objects.select_related("maker").get(pk=seed % ITEMS + 1)
    others = Item.objects.filter(kind=KINDS[seed % len(KINDS)]).order_by("-stock", "pk")[:10]
    kinds = Item.objects.values("kind").annotate(items=Count("pk")).order_by("kind")
    return JsonResponse(
        {
            "name": item.name,
            "maker": item.maker.name,
            "remarks": [remark.text for remark in Remark.objects.filter(item=item).order_by("pk")],
            "others": [{"name": other.name, "price": str(other.price)} for other in others],
            "kinds": list(kinds),
        }
    )


@require_GET
def counter(_: HttpRequest) -> JsonResponse:
    """Read the row that is written all the time."""
    return JsonResponse({"version": Counter.objects.get(key="counter").version})


@require_GET
def bulk(_: HttpRequest) -> JsonResponse:
    """Read far too much at once."""
    return JsonResponse({"rows": len(Bulk.objects.order_by("pk").values_list("pk", "text"))})
