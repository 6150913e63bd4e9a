"""What OpenTelemetry's SDK collects from the instruments."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Metric, NumberDataPoint, Sum

from admin_ui.metrics import opentelemetry
from admin_ui.metrics.families import FAMILIES, SEEN, Kind
from admin_ui.metrics.opentelemetry import observe_counts, observe_servers
from tests.admin_ui.metrics.test_views import renamed
from tests.admin_ui.support import count_reads
from tests.support import Servers, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class Collecting:
    """A provider of which a test asks what an exporter would be given."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])

    def metrics(self) -> dict[str, Metric]:
        found = self._reader.get_metrics_data()
        scopes = [scope for resource in found.resource_metrics for scope in resource.scope_metrics] if found else []
        return {metric.name: metric for scope in scopes for metric in scope.metrics}


@pytest.fixture
def collecting() -> Iterator[Collecting]:
    collecting = Collecting()
    yield collecting
    collecting.provider.shutdown()


def test_counts_are_cumulative_sums_with_attributes(servers: Servers, collecting: Collecting) -> None:
    observe_counts(collecting.provider)
    count_reads(7, endpoint="names", reason="routed", alias="replica1", starts_at=timezone.now())
    metrics = collecting.metrics()
    reads = metrics["readshift.reads"]
    assert isinstance(reads.data, Sum)
    assert (reads.unit, reads.data.is_monotonic) == ("{read}", True)
    (point,) = reads.data.data_points
    assert isinstance(point, NumberDataPoint)
    assert point.value == 7
    assert point.attributes == {
        "readshift.cluster": "default",
        "readshift.alias": "replica1",
        "readshift.endpoint": "names",
        "readshift.reason": "routed",
    }
    assert "readshift.kill_switch.on" in metrics
    assert not metrics.keys() & {family.name for family in SEEN}


def test_one_collection_reads_the_tables_once(
    servers: Servers, collecting: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opentelemetry, "ONE_COLLECTION_SECONDS", 600)
    observe_counts(collecting.provider)
    with servers.watch("readshift_tally") as reads:
        assert "readshift.rules" in collecting.metrics()
    assert (reads.primary, reads.replicas) == (1, 0)


def test_nothing_but_that_is_exported_while_the_database_is_away(
    servers: Servers, collecting: Collecting, caplog: pytest.LogCaptureFixture
) -> None:
    observe_counts(collecting.provider)
    with renamed("readshift_tally"), caplog.at_level(logging.WARNING):
        assert collecting.metrics().keys() == {"readshift.counts.readable"}
    assert [record.name for record in caplog.records] == ["readshift"]


def test_each_process_tells_how_it_sees_the_servers(shop: Servers, settings: Any, collecting: Collecting) -> None:
    observe_servers(collecting.provider)
    route("names")
    with probing(settings):
        metrics = collecting.metrics()
    assert metrics.keys() == {family.name for family in SEEN}
    assert metrics["readshift.replica.lag"].unit == "s"


def test_every_metric_but_the_histogram_has_an_instrument(collecting: Collecting) -> None:
    created: dict[str, str] = {}

    class Noting:
        def get_meter(self, name: str) -> "Noting":
            return self

        def create_observable_counter(self, name: str, callbacks: Any, unit: str, description: str) -> None:
            created[name] = unit

        create_observable_gauge = create_observable_counter

    noting: Any = Noting()
    observe_counts(noting)
    observe_servers(noting)
    assert created == {family.name: family.unit for family in FAMILIES if family.kind is not Kind.HISTOGRAM}
