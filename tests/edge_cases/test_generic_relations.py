"""E3, E4 and, for generic foreign keys, E12: relations without a foreign key, and queries within queries."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.db.models import Prefetch
from django.test.utils import isolate_apps

from demo.shop.models import Category, Product, Tag
from routers.blocks import use_primary, use_replica
from routers.generic_relations import FreeGenericRelation, connect
from tests.edge_cases.support import routed_unit, writes
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def tagged(shop: Servers) -> Servers:
    product = Product.objects.get(slug="assam")
    Tag.objects.bulk_create(Tag(name=name, content_object=product) for name in ("black", "strong"))
    shop.settle()
    return shop


def assam() -> Any:
    return Product.objects.get(slug="assam")


def names() -> list[str]:
    return list(Tag.objects.using("default").order_by("name").values_list("name", flat=True))


WRITES: dict[str, tuple[Callable[[Any], object], list[str]]] = {
    "update": (lambda product: product.tags.filter(name="black").update(name="green"), ["green", "strong"]),
    "delete": (lambda product: product.tags.all().delete(), []),
    "delete some": (lambda product: product.tags.exclude(name="black").delete(), ["black"]),
    "delete through a named manager": (lambda product: product.tags(manager="objects").all().delete(), []),
    "clear": (lambda product: product.tags.clear(), []),
    "remove": (lambda product: product.tags.remove(product.tags.get(name="black")), ["strong"]),
    "set": (lambda product: product.tags.set(product.tags.filter(name="black")), ["black"]),
    "create": (lambda product: product.tags.create(name="loose"), ["black", "loose", "strong"]),
    "add": (lambda product: product.tags.add(Tag(name="loose"), bulk=False), ["black", "loose", "strong"]),
    "get or create": (lambda product: product.tags.get_or_create(name="loose"), ["black", "loose", "strong"]),
    "bulk update": (
        lambda product: product.tags.bulk_update(
            [Tag(pk=tag.pk, name=f"{tag}!") for tag in product.tags.all()], ["name"]
        ),
        ["black!", "strong!"],
    ),
    "save": (lambda product: product.tags.get(name="black").save(), ["black", "strong"]),
}


@pytest.mark.parametrize("how", WRITES)
def test_e03_generic_relations_write_to_the_primary(tagged: Servers, how: str) -> None:
    write, expected = WRITES[how]
    with tagged.watch("shop_tag"), use_replica():
        product = assam()
        assert product._state.db != "default"
        write(product)
    assert names() == expected
    done = writes(tagged, "shop_tag")
    assert done.pop("primary") >= 1
    assert set(done.values()) == {0}


@pytest.mark.parametrize(
    "prefetch", ["tags", Prefetch("tags", Tag.objects.all()), Prefetch("tags", Tag.objects.order_by("-name"))]
)
def test_e03_prefetched_generic_relations_write_to_the_primary(tagged: Servers, prefetch: Any) -> None:
    with tagged.watch("shop_tag") as reads, use_replica():
        product = Product.objects.prefetch_related(prefetch).get(slug="assam")
        assert {tag.name for tag in product.tags.all()} == {"black", "strong"}
        product.tags.filter(name="black").update(name="green")
    assert (reads.primary, reads.replicas) == (1, 1)
    assert names() == ["green", "strong"]


def test_e03_generic_relations_read_where_the_rules_say(tagged: Servers) -> None:
    with tagged.watch("shop_tag") as reads, routed_unit():
        product = assam()
        assert product.tags.count() == 2
        assert len(product.tags.all()) == 2
        assert list(Product.objects.filter(tags__name="black")) == [product]
    assert (reads.primary, reads.replicas) == (0, 3)


def test_e03_a_relation_that_was_asked_before_a_write_reads_the_written_state_after_it(tagged: Servers) -> None:
    with routed_unit():
        product = assam()
        tags = product.tags.order_by("name")
        product.tags.filter(name="black").delete()
        assert [tag.name for tag in tags] == ["strong"]


def test_e03_an_alias_that_was_named_is_kept(tagged: Servers) -> None:
    with use_replica():
        product = assam()
        assert product.tags.using("replica2").db == "replica2"
        assert product.tags.db_manager("default").all().db == "default"
        named = Prefetch("tags", Tag.objects.using("replica1"))
        assert Product.objects.prefetch_related(named).get(slug="assam").tags.all().db == "replica1"


def test_e03_the_tags_of_an_object_from_another_database_are_there_too(tagged: Servers, settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": {"default": {"REPLICAS": ["replica1"]}}}
    product = Product.objects.using("replica2").get(slug="assam")
    with use_replica():
        tags: Any = product.tags.all()
        assert tags.db == "replica2"


def test_e03_models_made_later_are_served_as_well_and_other_kinds_of_relation_are_left_alone(shop: Servers) -> None:
    class Own(FreeGenericRelation):
        """What a package may put in the place of Django's."""

    class OwnRelation(GenericRelation):
        def contribute_to_class(self, cls: Any, name: str, *args: Any, **kwargs: Any) -> None:
            super().contribute_to_class(cls, name, *args, **kwargs)
            setattr(cls, self.name, Own(cast("Any", self.remote_field)))

    connect()
    with isolate_apps("tests.edge_cases"):

        class Later(models.Model):
            tags = GenericRelation(Tag)
            own = OwnRelation(Tag)

            class Meta:
                app_label = "edge_cases"

            def __str__(self) -> str:
                return "later"

    assert type(vars(Later)["tags"]) is FreeGenericRelation
    assert type(vars(Later)["own"]) is Own
    assert type(vars(Product)["tags"]) is FreeGenericRelation


def test_e04_a_generic_relation_can_be_a_subquery_of_a_query_on_a_replica(tagged: Servers) -> None:
    with tagged.watch("shop_tag") as reads, routed_unit():
        product = assam()
        alike = Product.objects.filter(tags__in=product.tags.all())
        assert set(alike) == {product}
        assert Tag.objects.filter(pk__in=product.tags.filter(name="black")).count() == 1
    assert (reads.primary, reads.replicas) == (0, 2)


def test_e04_a_subquery_follows_the_query_around_it(shop: Servers) -> None:
    with shop.watch("shop_category") as reads, routed_unit():
        assert Product.objects.filter(category__in=Category.objects.filter(slug="tea")).count() == 2
    assert (reads.primary, reads.replicas) == (0, 1)


def test_e04_a_named_alias_within_a_routed_query_is_refused_and_not_guessed(shop: Servers) -> None:
    with routed_unit(), pytest.raises(ValueError, match="Subqueries aren't allowed across different databases"):
        Product.objects.filter(category__in=Category.objects.using("default")).count()


def test_e12_django_follows_a_generic_foreign_key_on_the_server_of_the_object(tagged: Servers) -> None:
    with tagged.watch() as reads, routed_unit():
        tag = Tag.objects.filter(name="black").get()
        Category.objects.create(name="Coffee", slug="coffee")
        assert tag.content_object == assam()
    # A limit that the manual names: no router is asked. The comparison itself is read after the write.
    assert (reads.primary, reads.replicas) == (1, 1)


def test_e12_a_generic_foreign_key_of_an_object_from_the_primary_is_followed_there(tagged: Servers) -> None:
    with tagged.watch() as reads, routed_unit():
        with use_primary():
            tag = Tag.objects.filter(name="black").get()
        assert isinstance(tag.content_object, Product)
    assert (reads.primary, reads.replicas) == (1, 0)
