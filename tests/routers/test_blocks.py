"""`use_primary`, `use_replica` and `unit_of_work`, by what they make the router answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async
from django.db import router, transaction

from demo.shop.models import Category, Product
from rollout.reasons import Reason
from routers.agent import agent
from routers.blocks import unit_of_work, use_contract, use_primary, use_replica
from routers.current import current_unit
from routers.endpoints import known_endpoints
from tests.support import Servers, decisions, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

REPLICAS = {"replica1", "replica2"}


def alias() -> str:
    return router.db_for_read(Product)


def test_outside_a_unit_reads_go_to_the_primary(shop: Servers) -> None:
    route("shop.Product", kind="model")
    assert alias() == "default"


def test_a_named_unit_follows_the_rule_for_its_name(shop: Servers) -> None:
    route("nightly")
    with unit_of_work("nightly"):
        assert alias() in REPLICAS
    with unit_of_work("hourly"):
        assert alias() == "default"
    assert {"nightly", "hourly"} <= known_endpoints()


def test_use_primary_wins_over_rules_and_ends_with_its_block(shop: Servers) -> None:
    route("nightly")
    with unit_of_work("nightly"):
        with use_primary():
            assert alias() == "default"
        assert alias() in REPLICAS


def test_use_replica_needs_no_rule_and_ends_with_its_block(shop: Servers) -> None:
    with unit_of_work("nightly"):
        assert alias() == "default"
        with use_replica():
            assert alias() in REPLICAS
        assert alias() == "default"


def test_use_replica_outside_a_unit_is_one(shop: Servers) -> None:
    with use_replica(endpoint="export"):
        assert alias() in REPLICAS
        unit = current_unit()
        assert unit is not None
        assert unit.endpoint == "export"
    assert current_unit() is None


def test_within_use_primary_nothing_leads_to_a_replica(shop: Servers) -> None:
    with unit_of_work("nightly"), use_primary(), use_replica():
        assert alias() == "default"


def test_outside_a_unit_what_is_asked_for_around_use_replica_counts_too(shop: Servers) -> None:
    for around in (use_primary(), use_contract("strict")):
        with around:
            with use_replica():
                assert alias() == "default"
            assert current_unit() is None
    with use_replica():
        assert alias() in REPLICAS


def test_within_use_replica_use_primary_counts_until_it_ends(shop: Servers) -> None:
    with use_replica():
        with use_primary():
            assert alias() == "default"
        assert alias() in REPLICAS


def test_use_replica_gives_way_to_transactions_and_writes(shop: Servers) -> None:
    with use_replica(), transaction.atomic():
        assert alias() == "default"
    with use_replica():
        Category.objects.create(name="Coffee", slug="coffee")
        assert alias() == "default"


def test_a_queryset_counts_where_it_is_evaluated(shop: Servers) -> None:
    with unit_of_work("nightly"):
        with use_replica():
            lazy = Product.objects.order_by("name")
        with shop.watch() as reads:
            assert len(lazy) == 2
    assert reads.primary == 1


def test_blocks_decorate_functions_and_can_be_used_again(shop: Servers) -> None:
    block = use_replica()

    @block
    def decorated(depth: int) -> list[str]:
        return [alias(), *(decorated(depth - 1) if depth else [])]

    assert set(decorated(2)) <= REPLICAS
    with block:
        assert alias() in REPLICAS
        with block:
            assert alias() in REPLICAS
    assert alias() == "default"


def test_blocks_decorate_coroutines_and_work_with_async_with(shop: Servers) -> None:
    @use_replica()
    async def decorated() -> str:
        await asyncio.sleep(0)
        return alias()

    agent.reload()

    async def main() -> None:
        assert await decorated() in REPLICAS
        async with use_replica():
            assert await sync_to_async(alias)() in REPLICAS
            async with use_primary():
                assert alias() == "default"
        assert alias() == "default"

    asyncio.run(main())


def test_coroutines_side_by_side_do_not_see_each_others_blocks(shop: Servers) -> None:
    async def inside() -> str:
        async with use_replica():
            await asyncio.sleep(0)
            return alias()

    async def outside() -> str:
        await asyncio.sleep(0)
        return alias()

    agent.reload()

    async def both() -> list[str]:
        return list(await asyncio.gather(inside(), outside()))

    first, second = asyncio.run(both())
    assert first in REPLICAS
    assert second == "default"


def test_generators_are_refused_with_what_to_do_instead() -> None:
    def names():
        yield 1

    async def names_async():
        yield 1

    for generator in (names, names_async):
        with pytest.raises(TypeError, match=r"generator .*`with use_primary"):
            use_primary()(generator)


def test_an_exception_ends_the_block(shop: Servers) -> None:
    with pytest.raises(ZeroDivisionError), use_replica():
        raise ZeroDivisionError
    assert alias() == "default"


def test_a_generator_that_is_dropped_inside_its_block_ends_no_other(shop: Servers) -> None:
    def names():
        with use_primary():
            yield 1

    with unit_of_work("nightly"):
        dropped = names()
        next(dropped)
        with use_primary():
            dropped.close()
            with use_replica():
                assert alias() == "default"


def test_a_thread_of_its_own_reads_from_the_primary(shop: Servers) -> None:
    with use_replica(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(alias).result() == "default"


def test_a_unit_within_a_unit_remembers_what_the_outer_one_wrote(shop: Servers) -> None:
    route("inner")
    with unit_of_work("outer"):
        Category.objects.create(name="Coffee", slug="coffee")
        with unit_of_work("inner"):
            assert alias() == "default"


def test_all_reads_of_a_unit_use_one_replica(shop: Servers) -> None:
    for model in ("shop.Product", "shop.Category", "shop.Review"):
        route(model, kind="model")
    with shop.watch(), unit_of_work("nightly"):
        found = {row._state.db for model in (Product, Category) for _ in range(3) for row in model.objects.all()}
    assert len(found) == 1
    assert found <= REPLICAS
    assert decisions() == {Reason.ROUTED: 3}
