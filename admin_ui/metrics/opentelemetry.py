"""The metrics for OpenTelemetry's SDK, which the project sets up as it likes. Needs the extra `opentelemetry`."""

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock

from django.core.exceptions import ImproperlyConfigured

from admin_ui.metrics.families import COUNTED, SEEN, STORED, Family, Kind
from admin_ui.metrics.reading import read_stored
from admin_ui.metrics.samples import Reading
from admin_ui.metrics.sight import see_servers

try:
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation, get_meter_provider
except ImportError as error:
    raise ImproperlyConfigured(
        f"Metrics for OpenTelemetry need a package that is missing ({error}). Install it with "
        "pip install 'django-readshift[opentelemetry]'."
    ) from error

_SCOPE = "readshift"
ONE_COLLECTION_SECONDS = 1.0
"""The instruments are asked one right after another, and share what was read for the first of them."""


def observe_counts(provider: MeterProvider | None = None) -> None:
    """Export what comes from the tables. Call it in one process of the project: all of them would tell the same.

    A collector adds up what processes send. There is no histogram among it: OpenTelemetry has none that reports what
    others have counted. Counters begin anew at midnight UTC. While the database is away, only that is exported.
    """
    shared = _Shared(read_stored)
    _observe(provider, (family for family in (*COUNTED, *STORED) if family.kind is not Kind.HISTOGRAM), shared.get)


def observe_servers(provider: MeterProvider | None = None) -> None:
    """Export how this process sees the servers. Call it in every process. It costs no query."""
    _observe(provider, SEEN, lambda: Reading(tuple(see_servers())))


class _Shared:
    """What was read for one collection."""

    def __init__(self, read: Callable[[], Reading], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._reading = Reading()
        self._read_at = float("-inf")

    def get(self) -> Reading:
        with self._lock:
            if self._clock() - self._read_at > ONE_COLLECTION_SECONDS:
                self._reading = self._read()
                self._read_at = self._clock()
            return self._reading


def _observe(provider: MeterProvider | None, families: Iterable[Family], read: Callable[[], Reading]) -> None:
    meter = (provider or get_meter_provider()).get_meter(_SCOPE)
    for family in families:
        _instrument(meter, family, read)


def _instrument(meter: Meter, family: Family, read: Callable[[], Reading]) -> None:
    def observe(_: CallbackOptions) -> Sequence[Observation]:
        names = [f"readshift.{label}" for label in family.labels]
        return [Observation(sample.value, dict(zip(names, sample.labels, strict=True))) for sample in read().of(family)]

    create = meter.create_observable_counter if family.kind is Kind.COUNTER else meter.create_observable_gauge
    create(family.name, [observe], unit=family.unit, description=family.words)
