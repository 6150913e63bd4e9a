"""How a process sees the servers, with real ones."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from admin_ui.metrics import sight
from admin_ui.metrics.families import FIT, LAG, PRIMARY_DOWN, Family
from admin_ui.metrics.sight import see_servers
from demo.waiting import wait_until
from tests.support import Servers, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def seen(family: Family) -> dict[tuple[str, ...], float]:
    return {sample.labels: sample.value for sample in see_servers() if sample.family is family}


def test_a_process_that_has_asked_nobody_tells_nothing() -> None:
    assert [*see_servers()] == []


def test_fit_replicas_and_one_that_dies(shop: Servers, settings: Any) -> None:
    route("names")
    shop.checkpoint()
    first, own = shop.cluster.replicas[0], ("default", "replica1", "default")
    with probing(settings):
        assert seen(FIT) == {("default", alias, "default", "fit"): 1 for alias in ("replica1", "replica2")}
        assert seen(PRIMARY_DOWN) == {("default",): 0}
        assert 0 <= seen(LAG)[own] < 60
        first.kill()
        try:
            wait_until(lambda: seen(FIT).get((*own, "unreachable")) == 0, 20, "the replica to be out")
            assert own not in seen(LAG)
        finally:
            first.start()


def test_what_was_found_too_long_ago_is_no_lag_and_no_fitness(
    shop: Servers, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    route("names")
    with probing(settings):
        monkeypatch.setattr(sight, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 60))
        assert {labels[-1] for labels, value in seen(FIT).items() if value == 0} == {"unresponsive"}
        assert seen(LAG) == {}
