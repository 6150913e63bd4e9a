"""E12 to E21: content types, sessions, caches, raw SQL, the admin, migrations and other routers."""

import pickle
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import caches
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections, router
from django.db.utils import ConnectionRouter
from django.test import Client
from waffle.models import Flag

from demo.shop.models import Category, Product
from rollout.models import GateKind, TargetKind
from routers.blocks import use_replica
from routers.router import ReplicaRouter
from routers.wire import ReplicaWriteError
from tests.edge_cases.support import REPLICAS, routed_unit
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_e12_content_types_are_read_from_the_primary(shop: Servers) -> None:
    ContentType.objects.clear_cache()
    with shop.watch("django_content_type") as reads, use_replica():
        ContentType.objects.get_for_model(Product)
        ContentType.objects.get_for_model(Product)
    assert (reads.primary, reads.replicas) == (1, 0)


def test_e13_a_session_that_replicas_do_not_show_yet_is_a_session(behind: Servers, client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))
    route("shop:order-list")
    for _ in range(2):
        assert client.get("/orders/").status_code == 200


@pytest.fixture
def database_cache(shop: Servers, settings) -> Any:
    settings.CACHES = {
        **settings.CACHES,
        "stored": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "stored_cache"},
    }
    call_command("createcachetable", "stored_cache", verbosity=0)
    yield caches["stored"]
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE stored_cache")


def test_e14_a_cache_in_the_database_is_read_where_it_is_written(shop: Servers, database_cache: Any) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    with shop.watch("stored_cache") as reads, routed_unit():
        assert database_cache.get("price") is None
        database_cache.set("price", 450)
        assert database_cache.get("price") == 450
    assert reads.primary >= 3
    assert reads.replicas == 0


def test_e15_raw_queries_follow_the_rules_and_cannot_change_anything_on_a_replica(shop: Servers) -> None:
    with shop.watch() as reads, routed_unit():
        assert len(Product.objects.raw('SELECT * FROM "shop_product"')) == 2
        for change in ('SELECT * FROM "shop_product" FOR UPDATE', 'UPDATE "shop_product" SET stock = 0 RETURNING *'):
            with pytest.raises(ReplicaWriteError):
                list(Product.objects.raw(change))
    assert (reads.primary, reads.replicas) == (0, 1)


def test_e16_the_admin_saves_over_what_the_primary_has(behind: Servers, client: Client) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    route("admin:shop_category_change")
    tea = Category.objects.get()
    with behind.watch("shop_category") as reads:
        answer = client.post(f"/admin/shop/category/{tea.pk}/change/", {"name": "Teas", "slug": "tea"})
    assert answer.status_code == 302
    assert reads.replicas == 0
    tea.refresh_from_db()
    assert tea.name == "Teas"


def test_e17_a_change_to_what_was_read_builds_on_the_latest_state_in_an_unsafe_request(
    behind: Servers, client: Client
) -> None:
    route("restock")
    Product.objects.update(stock=20)
    client.post("/test/restock/assam/")
    assert Product.objects.get(slug="assam").stock == 21


class Count(BaseCommand):
    """A command, or a migration, that reads what it may have written."""

    def handle(self, *_: Any, **__: Any) -> str:
        return str(Product.objects.count())


def test_e18_commands_and_migrations_read_from_the_primary_and_never_migrate_a_replica(shop: Servers) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    with shop.watch() as reads:
        assert call_command(Count()) == "2"
    assert (reads.primary, reads.replicas) == (1, 0)
    assert not any(router.allow_migrate_model(alias, Product) for alias in REPLICAS)
    assert router.allow_migrate_model("default", Product)


def test_e19_a_gate_that_reads_the_database_does_not_ask_itself(shop: Servers, client: Client) -> None:
    ada = User.objects.create_user("ada")
    group = Group.objects.create(name="buyers")
    ada.groups.add(group)
    flag: Any = Flag.objects.create(name="buyers-first", superusers=False)
    flag.groups.add(group)
    route("names", gate=(GateKind.FLAG, "buyers-first"))
    client.force_login(ada)
    with shop.watch("auth_user_groups") as of_groups:
        client.get("/test/names/")
    assert (of_groups.primary, of_groups.replicas) == (1, 0)
    with shop.watch() as reads:
        client.get("/test/names/")
    assert (reads.primary, reads.replicas) == (0, 1)


def test_e20_an_object_from_a_cache_that_names_a_drained_replica_is_served_by_others(shop: Servers, settings) -> None:
    stored = pickle.dumps(Product.objects.using("replica1").get(slug="assam"))
    replicas = {"replica1": {"WEIGHT": 0}, "replica2": {}}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": {"default": {"REPLICAS": replicas}}}
    with shop.watch("shop_category") as reads, routed_unit():
        product = pickle.loads(stored)  # noqa: S301 - our own
        assert product._state.db == "replica1"
        assert product.category.slug == "tea"
        product.save()
        assert product._state.db == "default"
    assert reads.by_server == {"primary": 0, "replica1": 0, "replica2": 1}


class Archive:
    """Another router of the host, for the models of one app."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        return "replica2" if model._meta.app_label == "auth" else None


@pytest.mark.parametrize("routers", [[Archive(), ReplicaRouter()], [ReplicaRouter(), Archive()]])
def test_e21_other_routers_answer_for_the_models_of_other_databases(shop: Servers, settings, routers: Any) -> None:
    clusters = {"default": {"REPLICAS": ["replica1"], "APPS": ["shop"]}}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": clusters}
    both = ConnectionRouter(routers)
    with use_replica():
        assert both.db_for_read(User) == "replica2"
        assert both.db_for_read(Product) == "replica1"
        assert both.db_for_write(Product) == "default"


def test_e21_a_model_of_one_cluster_stays_there_beside_an_object_of_another(shop: Servers, settings) -> None:
    clusters = {"default": {"REPLICAS": ["replica1"]}, "replica2": {"APPS": ["auth"]}}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": clusters}
    with use_replica():
        product = Product.objects.get(slug="assam")
        assert product._state.db == "replica1"
        # Django's own answer would be the object's server, for writes as well.
        assert router.db_for_read(User, instance=product) == "replica2"
        assert router.db_for_write(User, instance=product) == "replica2"
