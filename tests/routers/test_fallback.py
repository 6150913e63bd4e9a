"""How much falls back to the primary, and what happens to the rest."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus

import pytest
from django.db import connections
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from demo.shop.models import Product
from demo.waiting import wait_until
from rollout.models import OverBudget
from rollout.reasons import Reason
from rollout.settings import get_settings
from routers.blocks import unit_of_work
from routers.fallback import Budget, ShedError, budget
from routers.replicas import replicas
from routers.unit import Unit, UnitKind
from tests.support import Servers, decisions, probing, route

SHARES = st.floats(0, 1)


def unit() -> Unit:
    return Unit(UnitKind.BLOCK, "nightly")


@given(share=SHARES, wishes=st.lists(st.booleans(), max_size=300))
def test_of_any_units_in_a_row_no_more_than_the_share_and_one_fall_back(share: float, wishes: list[bool]) -> None:
    budget, allowed = Budget(), []
    for falls_back in wishes:
        is_allowed = budget.allows(unit(), falls_back=falls_back, share=share, concurrency=None)
        allowed.append(falls_back and is_allowed)
        assert falls_back or is_allowed
    for begin in range(0, len(allowed), 7):
        for end in range(begin, len(allowed) + 1, 13):
            assert sum(allowed[begin:end]) <= 1 + share * (end - begin) + 1e-6


@given(st.lists(st.booleans(), max_size=50))
def test_without_limits_everything_may_fall_back(wishes: list[bool]) -> None:
    budget = Budget()
    assert all(budget.allows(unit(), falls_back=wish, share=None, concurrency=None) for wish in wishes)


def test_a_unit_is_judged_once() -> None:
    budget, first, second = Budget(), unit(), unit()
    assert budget.allows(first, falls_back=True, share=0.0, concurrency=None)
    assert not budget.allows(second, falls_back=True, share=0.0, concurrency=None)
    assert budget.allows(first, falls_back=True, share=0.0, concurrency=None)
    assert not budget.allows(second, falls_back=True, share=1.0, concurrency=None)


def test_no_more_begin_than_may_run_at_the_same_time() -> None:
    budget = Budget()
    with budget.running():
        assert not budget.allows(unit(), falls_back=True, share=None, concurrency=1)
        assert budget.allows(unit(), falls_back=True, share=None, concurrency=2)
    assert budget.allows(unit(), falls_back=True, share=None, concurrency=1)


database = pytest.mark.django_db(transaction=True, databases="__all__")


@contextmanager
def dead_replicas(shop: Servers) -> Iterator[None]:
    """Kill all replicas, and have them back when the block ends."""
    shop.checkpoint()
    connections.close_all()
    with ExitStack() as dead:
        for replica in shop.cluster.replicas:
            replica.kill()
            dead.callback(replica.start)
        wait_until(lambda: not any(map(replicas.is_fit, get_settings().replicas)), 20, "the replicas to be missed")
        decisions()
        yield


@pytest.fixture
def exhausted(settings) -> None:
    """A budget that is used up."""
    settings.READSHIFT = {**settings.READSHIFT, "FALLBACK_SHARE": 0, "RETRY_AFTER_SECONDS": 7}
    budget.allows(unit(), falls_back=True, share=0.0, concurrency=None)


@database
@pytest.mark.usefixtures("exhausted")
def test_over_budget_a_rule_may_shed(shop: Servers, settings, client: Client) -> None:
    route("names", over_budget=OverBudget.SHED)
    with probing(settings), dead_replicas(shop):
        shop.cluster.primary.reset_statements()
        response = client.get("/test/names/")
        assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert response["Retry-After"] == "7"
        assert not shop.cluster.primary.statements('FROM "shop_product"')
        assert decisions() == {Reason.SHED: 1}


@database
@pytest.mark.usefixtures("exhausted")
def test_outside_of_requests_what_is_shed_is_an_error_that_says_when_to_try_again(shop: Servers, settings) -> None:
    route("nightly", over_budget=OverBudget.SHED)
    with probing(settings), dead_replicas(shop), unit_of_work("nightly"):
        with pytest.raises(ShedError, match=r"Refused to read shop\.Product at 'nightly'") as refused:
            Product.objects.count()
        assert refused.value.retry_after == 7


@database
@pytest.mark.usefixtures("exhausted")
def test_over_budget_a_rule_may_read_an_older_replica(shop: Servers, settings) -> None:
    route("nightly", over_budget=OverBudget.STALE)
    with probing(settings, GREATEST_LAG_SECONDS=0.3, RETURN_LAG_SECONDS=0.2), shop.held():
        shop.cluster.primary.query("SELECT pg_logical_emit_message(true, 'test', 'x')")
        wait_until(lambda: not any(map(replicas.is_fit, get_settings().replicas)), 20, "the replicas to lag")
        decisions()
        shop.cluster.primary.reset_statements()
        with unit_of_work("nightly"):
            assert Product.objects.all()[:1][0]._state.db in get_settings().replicas
        assert not shop.cluster.primary.statements('FROM "shop_product"')
        assert decisions() == {Reason.STALE: 1}


@database
@pytest.mark.usefixtures("exhausted")
@pytest.mark.parametrize("answer", [OverBudget.PRIMARY, OverBudget.STALE])
def test_what_nobody_else_can_answer_the_primary_does(shop: Servers, settings, client: Client, answer: str) -> None:
    route("names", over_budget=answer)
    with probing(settings), dead_replicas(shop):
        assert client.get("/test/names/").json() == {"names": ["Assam", "Sencha"]}
        assert decisions() == {Reason.OVER_BUDGET: 1}


@database
def test_within_the_budget_the_primary_answers_whatever_the_rule_says(shop: Servers, settings, client: Client) -> None:
    route("names", over_budget=OverBudget.SHED)
    with probing(settings, FALLBACK_SHARE=1), dead_replicas(shop):
        for _ in range(5):
            assert client.get("/test/names/").status_code == HTTPStatus.OK
        # Both say the same: unfit for this process, and after a while out for all of them.
        found = Counter(decisions())
        assert found[Reason.UNFIT_REPLICA] + found[Reason.NO_REPLICA] == found.total() == 5
