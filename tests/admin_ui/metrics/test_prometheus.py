"""What Prometheus is given: every metric by the name and labels that are promised."""

import re
import subprocess

import pytest
from django.db import DatabaseError
from prometheus_client import CollectorRegistry, generate_latest

from admin_ui.metrics import prometheus
from admin_ui.metrics.families import FAMILIES, Kind
from admin_ui.metrics.prometheus import ReadshiftCollector, exposition
from admin_ui.metrics.samples import Durations, Reading, Sample
from rollout.windows import histogram
from tests.admin_ui.metrics.support import parsed

EVERYTHING = Reading(
    samples=tuple(
        Sample(family, tuple(f"the {label}" for label in family.labels), number)
        for number, family in enumerate(FAMILIES)
        if family.kind is not Kind.HISTOGRAM
    ),
    durations=tuple(
        Durations(family, ('a "name"\n',), histogram([0.003, 0.01, 0.02]))
        for family in FAMILIES
        if family.kind is Kind.HISTOGRAM
    ),
    began_at=1_772_323_200,
)


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "read_all", lambda: EVERYTHING)


@pytest.mark.usefixtures("everything")
def test_each_metric_has_the_names_and_labels_of_its_family() -> None:
    found = {name: {label for label, _ in labels} for name, labels in parsed(exposition("")[0].decode())}
    expected = {
        name: {*family.labels, *(["le"] if name.endswith("_bucket") else [])}
        for family in FAMILIES
        for name in family.exposed_names
    }
    assert {name: labels for name, labels in found.items() if not name.endswith("_created")} == expected


@pytest.mark.usefixtures("everything")
def test_durations_are_a_histogram_in_seconds() -> None:
    series = parsed(exposition("")[0].decode())

    def value(suffix: str, **labels: str) -> float:
        own = frozenset({"endpoint": 'a "name"\n', **labels}.items())
        return series[f"readshift_unit_duration_seconds_{suffix}", own]

    assert [value("bucket", le=edge) for edge in ("0.0016", "0.0128", "26.2144", "+Inf")] == [0, 2, 3, 3]
    assert value("count") == 3
    assert value("sum") == pytest.approx(0.033, rel=0.08)


@pytest.mark.usefixtures("everything")
def test_promtool_finds_no_fault_with_names_and_format(promtool: str) -> None:
    done = subprocess.run([promtool, "check", "metrics"], input=exposition("")[0], capture_output=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_registry_of_the_project_s_own_is_made_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Reading:
        raise DatabaseError("away")

    monkeypatch.setattr(prometheus, "read_all", fail)
    registry = CollectorRegistry()
    registry.register(ReadshiftCollector())
    with pytest.raises(DatabaseError):
        generate_latest(registry)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_names_follow_the_conventions_of_both(family) -> None:
    assert re.fullmatch(r"readshift(\.[a-z]+(_[a-z]+)*)+", family.name)
    assert re.fullmatch(r"readshift(_[a-z]+)+", family.prometheus_name)
    assert not family.prometheus_name.endswith(("_total", "_count", "_sum", "_bucket", "_info"))
    assert re.fullmatch(r"s|1|\{[a-z]+\}|", family.unit)
    assert family.words.endswith(".")
    assert len({*family.labels}) == len(family.labels) <= 5


def test_no_two_metrics_share_a_name() -> None:
    names = [name for family in FAMILIES for name in family.exposed_names]
    assert len({*names}) == len(names)
