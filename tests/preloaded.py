"""A WSGI application that has read by a rule before its server forks, as projects do that fill a cache at start."""

from django.core.wsgi import get_wsgi_application
from django.db import connections

application = get_wsgi_application()


def warm() -> None:
    from demo.shop.models import Product  # noqa: PLC0415 - the apps have to be loaded first
    from routers.blocks import unit_of_work  # noqa: PLC0415 - likewise

    with unit_of_work("names"):
        Product.objects.count()
    connections.close_all()


warm()
