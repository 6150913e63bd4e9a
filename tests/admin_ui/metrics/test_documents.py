"""The alert rules and the dashboard that the documentation ships: they use what is exported, by its name."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from admin_ui.metrics.families import FAMILIES, Family
from rollout.guardrails import Metric
from rollout.models import Mode
from rollout.plan_states import State
from rollout.reasons import Reason
from rollout.verdicts import Finding
from routers.health import Fitness

FOLDER = Path(__file__).parents[3] / "docs" / "monitoring"
ALERTS, UNIT_TESTS, DASHBOARD = FOLDER / "alerts.yml", FOLDER / "alerts.test.yml", FOLDER / "dashboard.json"

BY_NAME = {name: family for family in FAMILIES for name in family.exposed_names}
OF_PROMETHEUS = {"le", "instance"}
VALUES = {
    "reason": {*Reason.values},
    "verdict": {*Finding},
    "guardrail": {*Metric},
    "mode": {*Mode.values},
    "trial": {"true", "false"},
}
"""What labels may hold."""


def alerts() -> dict[str, dict[str, object]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def dashboard() -> dict[str, object]:
    content: dict[str, object] = json.loads(DASHBOARD.read_text())
    return content


def panels() -> Iterator[tuple[str, str, str]]:
    """Yield the title, expression and legend of each query of the dashboard."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]


EXPRESSIONS = {
    **{name: str(rule["expr"]) for name, rule in alerts().items()},
    **{f"{title} {number}": expression for number, (title, expression, _) in enumerate(panels())},
}


def families_of(expression: str) -> list[Family]:
    return [BY_NAME[name] for name in re.findall(r"readshift_\w+", expression)]


def selectors_of(expression: str) -> Iterator[tuple[str, str, set[str]]]:
    """Yield the metric, label and values of each condition."""
    for name, conditions in re.findall(r"(readshift_\w+)\{([^}]*)\}", expression):
        for label, values in re.findall(r'(\w+)\s*=~?\s*"([^"]*)"', conditions):
            yield name, label, set(values.split("|"))


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_each_expression_uses_metrics_and_labels_that_are_exported(expression: str) -> None:
    names = re.findall(r"readshift_\w+", expression)
    assert names
    assert {*names} <= BY_NAME.keys()
    for name, label, _ in selectors_of(expression):
        assert label in BY_NAME[name].labels
    known = {label for family in families_of(expression) for label in family.labels} | OF_PROMETHEUS
    for labels in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression):
        assert {label.strip() for label in labels.split(",")} <= known


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_each_condition_names_values_that_there_are(expression: str) -> None:
    states = {
        "readshift_plan_state": {*State.values},
        "readshift_processes": {"current", "behind", "gone"},
        "readshift_replica_fit": {*Fitness},
    }
    for name, label, values in selectors_of(expression):
        allowed = states[name] if label == "state" else VALUES.get(label, values)
        assert values <= allowed


def test_the_alert_on_fallbacks_counts_every_reason_that_blames_replicas() -> None:
    blaming = {reason.value for reason in Reason if reason.blames_replicas}
    (_, _, above), (_, _, below) = selectors_of(EXPRESSIONS["ReadshiftReadsBackOnPrimary"])
    assert above == blaming
    assert below == blaming | {Reason.ROUTED, Reason.STALE}


@pytest.mark.parametrize(("title", "expression", "legend"), [*panels()])
def test_legends_name_labels_that_the_expression_keeps(title: str, expression: str, legend: str) -> None:
    kept = {label.strip() for labels in re.findall(r"\bby\s*\(([^)]*)\)", expression) for label in labels.split(",")}
    assert {*re.findall(r"\{\{(\w+)\}\}", legend)} <= kept


def test_words_of_alerts_name_labels_that_the_expression_keeps() -> None:
    for rule in alerts().values():
        kept = {
            each.strip() for labels in re.findall(r"by\s*\(([^)]*)\)", str(rule["expr"])) for each in labels.split(",")
        }
        assert {*re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))} <= kept
        assert str(rule["annotations"]["summary"]).endswith((".", "}}"))  # type: ignore[index]


def test_the_dashboard_can_be_imported() -> None:
    content = dashboard()
    assert content["title"] == "Readshift"
    drawn = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in drawn}) == len(drawn)
    assert {panel["datasource"]["uid"] for panel in drawn} == {"${datasource}"}
    assert all(panel["title"] and panel["description"] for panel in drawn)


def test_every_metric_is_explained_where_operators_look() -> None:
    table = (FOLDER / "README.md").read_text()
    for family in FAMILIES:
        assert f"`{family.name}`" in table
        shown = family.prometheus_name + ("_total" if family.kind.value == "counter" else "")
        assert f"`{shown}`" in table


@pytest.mark.parametrize("arguments", [["check", "rules", ALERTS.name], ["test", "rules", UNIT_TESTS.name]])
def test_promtool_accepts_the_rules_and_their_tests(promtool: str, arguments: list[str]) -> None:
    done = subprocess.run([promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested() -> None:
    assert {name for name in alerts() if name in UNIT_TESTS.read_text()} == alerts().keys()


def test_promtool_accepts_every_expression_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$cluster", ".*")}
        for number, (_, expression, _) in enumerate(panels())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
