"""Each system is installed with its own defaults, and what a caller adds is Readshift's alone."""

from pathlib import Path

import pytest

from benchmarks.idle import Idleness
from benchmarks.systems import OWN, SYSTEMS, caches, databases, install

REPLICAS = ["replica1", "replica2"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_routes_and_knows_the_replicas(system: str) -> None:
    installed = install(system, REPLICAS, {})
    (router,) = installed.settings["DATABASE_ROUTERS"]
    assert router
    assert installed.middleware
    assert any("replica1" in str(value) for value in installed.settings.values())


def test_options_are_added_to_readshift() -> None:
    settings = install(OWN, REPLICAS, {"PROBE_SECONDS": 2}).settings
    assert settings["READSHIFT"] == {"CLUSTERS": {"default": {"REPLICAS": REPLICAS}}, "PROBE_SECONDS": 2}
    assert "READSHIFT" not in install("multidb_router", REPLICAS, {"PROBE_SECONDS": 2}).settings


def test_a_package_brings_its_own_defaults() -> None:
    assert install("django_replicated", REPLICAS, {}).settings["REPLICATED_DATABASE_DOWNTIME"] == 60


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'other'.*readshift, multidb_router, django_replicated"):
        install("other", REPLICAS, {})


def test_all_servers_are_reached_in_the_same_way() -> None:
    found = databases("engine", "name", 1, [2, 3])
    assert {alias: options["PORT"] for alias, options in found.items()} == {"default": 1, "replica1": 2, "replica2": 3}
    assert all(options["CONN_HEALTH_CHECKS"] for options in found.values())


def test_processes_share_a_cache_with_or_without_a_server(tmp_path: Path) -> None:
    assert caches("redis://x/1", tmp_path)["default"]["LOCATION"] == "redis://x/1"
    assert caches("", tmp_path)["default"]["LOCATION"] == str(tmp_path)


def test_idle_time_is_a_share_or_not_known() -> None:
    idleness = Idleness()
    sum(range(2_000_000))
    share = idleness.share()
    assert share is None or 0 <= share <= 1
