"""The metrics as Prometheus reads them. Needs the extra `prometheus`."""

from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured

from admin_ui.metrics.families import FAMILIES, Family, Kind
from admin_ui.metrics.reading import read_all
from admin_ui.metrics.samples import BOUNDS, Durations, Reading

try:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ImproperlyConfigured(
        f"Metrics for Prometheus need a package that is missing ({error}). Install it with "
        "pip install 'django-readshift[prometheus]'."
    ) from error


class ReadshiftCollector(Collector):
    """Reads everything anew whenever its registry is collected.

    `metrics_urls` has a registry of its own for it. Register it on one that you expose yourself, in any one process.
    """

    def collect(self) -> Iterator[Metric]:
        reading = read_all()
        return (_metric(family, reading) for family in FAMILIES)

    def describe(self) -> Iterator[Metric]:
        """Return the names without a query, so that a registry can be made while the database is away."""
        return (_metric(family, Reading()) for family in FAMILIES)


def exposition(accept: str) -> tuple[bytes, str]:
    """Return all metrics and their content type, in the format that the header `Accept` asks for."""
    registry = CollectorRegistry()
    registry.register(ReadshiftCollector())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _metric(family: Family, reading: Reading) -> Metric:
    match family.kind:
        case Kind.COUNTER:
            counter = CounterMetricFamily(family.prometheus_name, family.words, labels=family.labels)
            for sample in reading.of(family):
                counter.add_metric(sample.labels, sample.value, created=reading.began_at)
            return counter
        case Kind.GAUGE:
            gauge = GaugeMetricFamily(family.prometheus_name, family.words, labels=family.labels)
            for sample in reading.of(family):
                gauge.add_metric(sample.labels, sample.value)
            return gauge
        case Kind.HISTOGRAM:
            histogram = HistogramMetricFamily(family.prometheus_name, family.words, labels=family.labels)
            for series in reading.durations_of(family):
                histogram.add_metric(series.labels, _buckets(series), series.seconds)
            return histogram


def _buckets(series: Durations) -> list[tuple[str, float]]:
    edges = [*(f"{bound:.6g}" for bound in BOUNDS), "+Inf"]
    return list(zip(edges, map(float, series.cumulative), strict=True))
