"""A few products, on the primary and on its replicas."""

import pytest

from demo.shop.models import Category, Product
from tests.support import Servers


@pytest.fixture
def shop(servers: Servers) -> Servers:
    category = Category.objects.create(name="Tea", slug="tea")
    Product.objects.bulk_create(
        Product(name=name, slug=name.lower(), category=category, price="4.50", stock=9) for name in ("Assam", "Sencha")
    )
    servers.settle()
    return servers
