"""Tasks that write for a client, in a real worker, with a real broker and shared cache, while replay is held."""

import pytest
from django.core.cache.backends.redis import RedisCache
from django.test import Client

from demo.broker import running_broker
from demo.shop.models import Product
from demo.waiting import wait_until
from routers.carriers import ERRAND_COOKIE
from tests.errands import BROKER_VARIABLE, DONE
from tests.routers.test_celery import worker
from tests.support import Servers, route
from tests.writes import NEW

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_clients_are_shown_what_a_real_worker_wrote_for_them_as_soon_as_they_have_the_result(
    shop: Servers, tmp_path, settings, monkeypatch
) -> None:
    route("names")
    with running_broker(tmp_path) as broker:
        shared = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": broker.cache}
        settings.CACHES = {"default": shared}
        monkeypatch.setenv(BROKER_VARIABLE, broker.url)
        with worker(broker, "prefork"):
            with_cookies = Client(headers={"user-agent": "ada"})
            without_cookies = Client(headers={"authorization": "Bearer ada"})
            is_shown_the_result(shop, RedisCache(broker.cache, {}), with_cookies, keeps_cookies=True)
            assert with_cookies.cookies.keys() == {ERRAND_COOKIE}
            is_shown_the_result(shop, RedisCache(broker.cache, {}), without_cookies, keeps_cookies=False)


def is_shown_the_result(shop: Servers, cache: RedisCache, client: Client, *, keeps_cookies: bool) -> None:
    """Check the way of one client from its request to the replica that shows what the task has written."""
    Product.objects.filter(name=NEW).delete()
    cache.delete(DONE)
    shop.settle()
    with shop.held():
        client.get("/test/delegated/")
        wait_until(lambda: cache.get(DONE), 30, "the task to be done")
        assert NEW in names(client, keeps_cookies)
        assert NEW not in names(Client(headers={"user-agent": "bob"}), keeps_cookies=True)

    def is_served_by_a_replica() -> bool:
        with shop.watch() as reads:
            assert NEW in names(client, keeps_cookies)
        return reads.replicas == 1

    # The errand is over a moment after the result is known.
    wait_until(is_served_by_a_replica, 30, "the replica to be read again")


def names(client: Client, keeps_cookies: bool) -> list[str]:
    """Return what a client is shown."""
    if not keeps_cookies:
        client.cookies.clear()
    shown: list[str] = client.get("/test/names/").json()["names"]
    return shown
