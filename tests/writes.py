"""The ways in which a project writes, and views that write in a GET and read nothing."""

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models.signals import post_save
from django.http import HttpRequest, HttpResponse

from demo.shop.models import Category, Product

NEW = "Oolong"
"""The name of the product that every way of writing leaves behind."""


def _product(**values: Any) -> Product:
    return Product(name=NEW, slug=NEW.lower(), category=Category.objects.get(slug="tea"), price="5.00", **values)


def save() -> None:
    _product().save()


def update() -> None:
    Product.objects.filter(slug="assam").update(name=NEW)


def bulk_create() -> None:
    Product.objects.bulk_create([_product()])


def cursor() -> None:
    with connection.cursor() as raw:
        raw.execute("UPDATE shop_product SET name = %s WHERE slug = 'assam'", [NEW])


def returning() -> None:
    """Write with a statement that looks like a query."""
    with connection.cursor() as raw:
        raw.execute("WITH changed AS (UPDATE shop_product SET name = %s RETURNING id) SELECT id FROM changed", [NEW])


def signal() -> None:
    """Save something else, and write in the handler."""

    def write(**_: Any) -> None:
        save()

    post_save.connect(write, sender=Category)
    try:
        Category.objects.create(name="Coffee", slug="coffee")
    finally:
        post_save.disconnect(write, sender=Category)


def on_commit() -> None:
    """Write once a transaction that wrote nothing has committed."""
    with transaction.atomic():
        transaction.on_commit(save)


def atomic() -> None:
    with transaction.atomic():
        save()


WAYS: dict[str, Callable[[], None]] = {
    way.__name__: way for way in (save, update, bulk_create, cursor, returning, signal, on_commit, atomic)
}


def written(request: HttpRequest, way: str) -> HttpResponse:
    WAYS[way]()
    return HttpResponse()


async def written_async(request: HttpRequest) -> HttpResponse:
    category = await Category.objects.aget(slug="tea")
    await Product.objects.acreate(name=NEW, slug=NEW.lower(), category=category, price="5.00")
    return HttpResponse()
