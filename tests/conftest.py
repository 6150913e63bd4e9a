"""The suite's servers, and what most tests need: a clean start, rules, and a look at what the servers saw."""

from collections.abc import Iterator
from itertools import count

import pytest
from django.core.cache import cache
from redis.connection import AbstractConnection
from waffle.models import Switch

from admin_ui.overview.counts import forget_counts
from demo.cluster import Cluster, FolderInUseError, default_root
from demo.shop.models import Category, Product
from rollout.policy import KILL_SWITCH
from routers.agent import agent
from routers.arms import arms
from routers.capture import capture
from routers.departures import departures
from routers.endpoint_meter import endpoint_meter
from routers.meter import meter
from routers.replicas import replicas
from tests.emptying import only_what_is_filled
from tests.settings import PORTS
from tests.support import Servers
from tests.valkey_connections import close, remembered_connections


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One primary and two streaming replicas, for the whole run. Runs at the same time have one each."""
    for number in count(1):
        started = Cluster(default_root(f"tests{number}"), replicas=2, ports=PORTS)
        try:
            started.start()
        except FolderInUseError:
            continue
        break
    yield started
    started.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(cluster: Cluster) -> None:
    """Have the servers up before Django creates its test database on the primary, which streams to the replicas."""


@pytest.fixture(scope="session", autouse=True)
def _emptied_fast() -> Iterator[None]:
    """Spend as little as possible on emptying the database between tests."""
    with only_what_is_filled():
        yield


@pytest.fixture(scope="session")
def valkey_connections() -> Iterator[list[AbstractConnection]]:
    """What is connected to a Valkey."""
    with remembered_connections() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _fresh_process(valkey_connections: list[AbstractConnection]) -> Iterator[None]:
    """Give each test the state of a process that has just started."""
    agent.forget()
    forget_counts()
    replicas.forget()
    meter.take()
    departures.after_fork()
    arms.take()
    endpoint_meter.take()
    capture.forget()
    cache.clear()
    yield
    agent.forget()
    close(valkey_connections)


@pytest.fixture
def servers(cluster: Cluster, transactional_db: None) -> Servers:
    """The servers with committed data, the kill switch on, all replicas caught up, and nothing counted yet."""
    Switch.objects.update_or_create(name=KILL_SWITCH, defaults={"active": True})
    return Servers(cluster)


@pytest.fixture
def shop(servers: Servers) -> Servers:
    """The servers with two products, which the replicas show."""
    category = Category.objects.create(name="Tea", slug="tea")
    Product.objects.bulk_create(
        Product(name=name, slug=name.lower(), category=category, price="4.50", stock=9) for name in ("Assam", "Sencha")
    )
    servers.settle()
    return servers
