"""The demo's addresses, and views that only tests need."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.http import require_http_methods

from demo.shop.models import Category, Product


@require_http_methods(["GET", "POST"])
def names(request: HttpRequest) -> JsonResponse:
    """Read products, in whatever method."""
    return JsonResponse({"names": list(Product.objects.order_by("name").values_list("name", flat=True))})


def read_write_read(request: HttpRequest) -> HttpResponse:
    """A GET that writes half way through."""
    before = Product.objects.count()
    Category.objects.create(name=f"Category {before}", slug=f"category-{before}-{Category.objects.count()}")
    return HttpResponse(f"{before} {Product.objects.count()}")


def in_transaction(request: HttpRequest) -> HttpResponse:
    """Read inside a transaction that writes nothing, and again after it."""
    with transaction.atomic():
        before = Product.objects.count()
    return HttpResponse(f"{before} {Product.objects.count()}")


async def names_async(request: HttpRequest) -> JsonResponse:
    """Read products in an async view."""
    return JsonResponse(
        {"names": [name async for name in Product.objects.order_by("name").values_list("name", flat=True)]}
    )


def unnamed(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(str(Product.objects.filter(stock=number).count()))


urlpatterns = [
    path("test/names/", names, name="names"),
    path("test/names-async/", names_async, name="names-async"),
    path("test/read-write-read/", read_write_read, name="read-write-read"),
    path("test/in-transaction/", in_transaction, name="in-transaction"),
    path("test/unnamed/<int:number>/", unnamed),
    path("", include("demo.urls")),
]
