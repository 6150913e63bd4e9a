"""E1, E2 and E5 to E11: what the ORM asks a router, and when."""

from typing import Any

import pytest
from django.db import router, transaction
from django.db.models import Prefetch
from django.db.utils import ConnectionRouter
from django.test import Client
from waffle.models import Sample

from demo.shop.models import Category, Product, Review
from rollout.bucketing import BUCKETS
from rollout.models import GateKind
from routers.blocks import unit_of_work, use_primary, use_replica
from routers.current import open_unit
from routers.router import ReplicaRouter
from routers.subjects import PlainParty
from routers.trail import Trail
from routers.unit import Unit, UnitKind
from tests.edge_cases.support import REPLICAS, routed_unit, writes
from tests.support import Servers, forget_writes, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_e01_a_queryset_reads_where_it_is_evaluated_and_not_where_it_was_built(shop: Servers) -> None:
    with use_replica():
        built_for_a_replica = Product.objects.order_by("name")
    with use_primary():
        built_for_the_primary = Product.objects.order_by("name")
    with shop.watch() as reads:
        assert len(built_for_a_replica) == 2
    assert (reads.primary, reads.replicas) == (1, 0)
    with shop.watch() as reads, routed_unit():
        assert len(built_for_the_primary) == 2
    assert (reads.primary, reads.replicas) == (0, 1)


def test_e02_what_a_replicas_object_saves_creates_changes_and_deletes_goes_to_the_primary(shop: Servers) -> None:
    def fetch(category: str) -> Category:
        found = Category.objects.get(slug=category)
        assert found._state.db in REPLICAS
        return found

    with shop.watch(), use_replica():
        tea = fetch("tea")
        tea.name = "Teas"
        tea.save()
        assert tea._state.db == "default"
    shop.settle()
    with use_replica():
        fetch("tea").products.create(name="Oolong", slug="oolong", price="5.00")
    shop.settle()
    with use_replica():
        fetch("tea").products.update(stock=3)
    shop.settle()
    with use_replica():
        Product.objects.get(slug="sencha").delete()
    assert dict(Product.objects.values_list("slug", "stock")) == {"assam": 3, "oolong": 3}
    assert Category.objects.get().name == "Teas"
    assert writes(shop, "shop_category") == {"primary": 1, "replica1": 0, "replica2": 0}
    assert writes(shop, "shop_product") == {"primary": 3, "replica1": 0, "replica2": 0}


def test_e05_objects_of_one_cluster_can_be_related_whichever_server_they_came_from(shop: Servers) -> None:
    with use_replica():
        tea = Category.objects.get()
    product = Product.objects.get(slug="assam")
    for related in (Product(category=tea), product):
        related.category = tea
    product.save()
    assert router.allow_relation(tea, product)
    assert router.allow_relation(Category(), Product())


def test_e05_an_object_from_a_replica_is_added_to_a_relation_by_saving_it_to_the_primary(shop: Servers) -> None:
    coffee = Category.objects.create(name="Coffee", slug="coffee")
    shop.settle()
    with use_replica():
        product = Product.objects.get(slug="assam")
    with pytest.raises(ValueError, match="bulk=False"):
        coffee.products.add(product)
    coffee.products.add(product, bulk=False)
    assert Product.objects.get(slug="assam").category == coffee


def test_e05_objects_of_two_clusters_are_left_to_other_routers(shop: Servers, settings) -> None:
    clusters = {"default": {"REPLICAS": ["replica1"]}, "replica2": {"APPS": ["elsewhere"]}}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": clusters}
    theirs = Product.objects.using("replica2").get(slug="assam")
    assert ReplicaRouter().allow_relation(theirs, Category.objects.get()) is None
    assert not router.allow_relation(theirs, Category.objects.get())


def test_e06_get_or_create_looks_on_the_primary_and_creates_no_second_row(behind: Servers) -> None:
    Category.objects.create(name="Coffee", slug="coffee")
    forget_writes()
    with behind.watch("shop_category") as reads, use_replica():
        assert not Category.objects.filter(slug="coffee").exists()
        coffee, created = Category.objects.get_or_create(slug="coffee", defaults={"name": "Coffee"})
        assert not created
    assert (reads.primary, reads.replicas) == (1, 1)
    with use_replica():
        assert Category.objects.update_or_create(slug="coffee", defaults={"name": "Cafe"}) == (coffee, False)


def test_e07_a_form_that_is_posted_finds_the_rows_that_replicas_do_not_show_yet(
    behind: Servers, client: Client
) -> None:
    route("add-category")
    Category.objects.create(name="Coffee", slug="coffee")
    with behind.watch("shop_category") as reads:
        errors = client.post("/test/add-category/", {"name": "Coffee", "slug": "coffee"}).json()
    assert set(errors) == {"name", "slug"}
    assert (reads.primary, reads.replicas) == (2, 0)


def test_e08_an_object_is_refreshed_from_the_primary_once_the_unit_has_written(behind: Servers) -> None:
    with behind.watch() as reads, routed_unit():
        product = Product.objects.get(slug="assam")
        product.refresh_from_db()
        Product.objects.filter(slug="assam").update(stock=1)
        product.refresh_from_db()
        assert product.stock == 1
    assert (reads.primary, reads.replicas) == (2, 2)


def test_e09_rows_are_locked_on_the_primary(shop: Servers) -> None:
    with shop.watch() as reads, routed_unit():
        Product.objects.count()
        with transaction.atomic():
            assert Product.objects.select_for_update().get(slug="assam").stock == 9
    assert (reads.primary, reads.replicas) == (1, 1)


@pytest.mark.parametrize(
    "related",
    ["category", Prefetch("category", Category.objects.all()), Prefetch("category", Category.objects.only("name"))],
)
def test_e10_what_is_prefetched_comes_from_the_server_of_the_objects(shop: Servers, related: Any) -> None:
    with shop.watch("shop_category") as reads, routed_unit():
        products = list(Product.objects.prefetch_related(related))
        assert {product.category._state.db for product in products} == {products[0]._state.db}
    assert (reads.primary, reads.replicas) == (0, 1)


def test_e10_a_prefetch_that_lost_its_hint_stays_on_the_server_of_the_unit(shop: Servers) -> None:
    with routed_unit():
        product = Product.objects.get(slug="assam")
        assert ConnectionRouter([ReplicaRouter()]).db_for_read(Category) == product._state.db


@pytest.mark.parametrize(("dice", "expected"), [(0, REPLICAS), (BUCKETS - 1, {"default"})])
def test_e11_all_questions_of_a_unit_get_one_answer_at_any_percentage(
    shop: Servers, dice: int, expected: set[str]
) -> None:
    Sample.objects.create(name="half", percent="50.0")
    route("nightly", gate=(GateKind.SAMPLE, "half"))
    with open_unit(Unit(UnitKind.BLOCK, "nightly", Trail(PlainParty(dice=dice)))):
        tea = Category.objects.prefetch_related("products__tags").get()
        found = {tea._state.db, *(product._state.db for product in tea.products.all())}
        found |= {router.db_for_read(model, instance=tea) for model in (Category, Product, Review) for _ in range(5)}
    assert len(found) == 1
    assert found <= expected


def test_e11_a_rule_that_opens_in_the_middle_of_a_unit_does_not_split_it(shop: Servers) -> None:
    with unit_of_work("nightly"):
        assert Category.objects.get()._state.db == "default"
        route("nightly")
        assert Category.objects.get()._state.db == "default"
