"""The demo's addresses, and views that only tests need."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import BigIntegerField, Func, QuerySet, Value
from django.forms import modelform_factory
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import include, path
from django.views.decorators.http import require_http_methods

from demo.shop.models import Category, Product
from routers.blocks import use_contract, use_primary, use_replica
from tests.errands import delegated
from tests.writes import written, written_async


@require_http_methods(["GET", "POST"])
def names(request: HttpRequest) -> JsonResponse:
    """Read products, in whatever method."""
    return JsonResponse({"names": list(Product.objects.order_by("name").values_list("name", flat=True))})


def read_write_read(request: HttpRequest) -> HttpResponse:
    """A GET that writes half way through."""
    before = Product.objects.count()
    Category.objects.create(name=f"Category {before}", slug=f"category-{before}-{Category.objects.count()}")
    return HttpResponse(f"{before} {Product.objects.count()}")


def visited(request: HttpRequest) -> HttpResponse:
    """A GET that counts its visits."""
    product = Product.objects.get(slug="assam")
    Product.objects.filter(pk=product.pk).update(stock=product.stock + 1)
    return HttpResponse(product.name)


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


def by_name() -> QuerySet[Product, str]:
    """Return names that are read when they are iterated."""
    return Product.objects.order_by("name").values_list("name", flat=True)


def rendered_late(request: HttpRequest) -> TemplateResponse:
    """Leave the reading to the template, which is rendered after the view."""
    template = engines["django"].from_string("{{ names|join:' ' }}")
    return TemplateResponse(request, template, {"names": by_name()})


def signed_in_late(request: HttpRequest, name: str) -> HttpResponse:
    """Find out in the view whom it serves, as REST frameworks do."""
    request.user = User.objects.get(username=name)
    return HttpResponse(" ".join(by_name()))


@require_http_methods(["POST"])
@use_replica()
def searched(request: HttpRequest) -> HttpResponse:
    """A POST that only reads."""
    return HttpResponse(" ".join(by_name()))


@require_http_methods(["POST"])
def restock(request: HttpRequest, slug: str) -> HttpResponse:
    """Read, change and save."""
    product = Product.objects.get(slug=slug)
    product.stock += 1
    product.save()
    return HttpResponse()


@require_http_methods(["POST"])
def add_category(request: HttpRequest) -> JsonResponse:
    """Validate a form, which looks for equal names."""
    form = modelform_factory(Category, fields=("name", "slug"))(request.POST)
    return JsonResponse(form.errors)


def raw_write_read(request: HttpRequest) -> HttpResponse:
    """A GET that writes through a cursor."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_product SET stock = 0")
    return HttpResponse(str(Product.objects.filter(stock=0).count()))


def add_by_function(request: HttpRequest, how: str) -> HttpResponse:
    """A GET that adds a product by a function in the database."""
    if how == "cursor":
        with connection.cursor() as cursor:
            cursor.execute("SELECT warehouse.add_product(%s)", ["Oolong"])
    else:
        call = Func(Value("Oolong"), function="warehouse.add_product", output_field=BigIntegerField())
        Category.objects.annotate(added=call).get()
    return HttpResponse()


def streamed(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Send products one by one, from a body that reads when it is iterated."""

    def name_of(slug: str) -> str:
        return Product.objects.get(slug=slug).name

    def body() -> Iterator[str]:
        for slug in ("assam", "sencha"):
            yield name_of(slug)

    def body_with_blocks() -> Iterator[str]:
        with use_primary():
            yield from body()
        yield from body()

    def body_in_a_transaction() -> Iterator[str]:
        with transaction.atomic():
            yield name_of("assam")

    def body_that_writes() -> Iterator[str]:
        yield name_of("assam")
        Category.objects.create(name="Coffee", slug="coffee")
        yield name_of("assam")

    def body_with_an_end() -> Iterator[str]:
        try:
            yield from ("first", "second")
        finally:
            name_of("assam")

    async def body_async() -> AsyncIterator[str]:
        for slug in ("assam", "sencha"):
            yield (await Product.objects.aget(slug=slug)).name

    bodies: dict[str, Callable[[], Iterable[str] | AsyncIterable[str]]] = {
        "generator": body,
        "iterator": lambda: map(name_of, ("assam", "sencha")),
        "expression": lambda: (product.name for product in Product.objects.all()),
        "blocks": body_with_blocks,
        "transaction": body_in_a_transaction,
        "writing": body_that_writes,
        "ending": body_with_an_end,
        "async": body_async,
    }
    return StreamingHttpResponse(bodies[kind]())


async def streamed_async(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    return streamed(request, kind)


def this_file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(__file__, "rb"))  # noqa: PTH123 - the response closes it


urlpatterns = [
    path("test/rendered-late/", rendered_late, name="rendered-late"),
    path("test/signed-in-late/<str:name>/", signed_in_late, name="signed-in-late"),
    path("test/searched/", searched, name="searched"),
    path("test/restock/<slug:slug>/", restock, name="restock"),
    path("test/add-category/", add_category, name="add-category"),
    path("test/raw-write-read/", raw_write_read, name="raw-write-read"),
    path("test/add-by-function/<str:how>/", add_by_function, name="add-by-function"),
    path("test/streamed/<str:kind>/", streamed, name="streamed"),
    path("test/streamed-async/<str:kind>/", streamed_async, name="streamed-async"),
    path("test/this-file/", this_file, name="this-file"),
    path("test/names/", names, name="names"),
    path("test/names-of-primary/", use_primary()(names), name="names-of-primary"),
    path("test/strict-names/", use_contract("strict")(names), name="strict-names"),
    path("test/names-async/", names_async, name="names-async"),
    path("test/read-write-read/", read_write_read, name="read-write-read"),
    path("test/visited/", visited, name="visited"),
    path("test/delegated/", delegated, name="delegated"),
    path("test/written/<str:way>/", written, name="written"),
    path("test/written-async/", written_async, name="written-async"),
    path("test/in-transaction/", in_transaction, name="in-transaction"),
    path("test/unnamed/<int:number>/", unnamed),
    path("", include("demo.urls")),
]
