"""Whoever is paged gets to a runbook, and whoever reads it finds the alert again."""

import re
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import CHECKOUT

RUNBOOKS = sorted(path for path in (CHECKOUT / "docs/runbooks").glob("*.md") if path.name != "README.md")
(GROUP,) = yaml.safe_load((CHECKOUT / "docs/monitoring/alerts.yml").read_text())["groups"]
LEADS_TO = {rule["alert"]: rule["annotations"]["runbook"] for rule in GROUP["rules"]}


@pytest.mark.parametrize("alert", LEADS_TO)
def test_every_alert_leads_to_a_runbook_that_names_it(alert: str) -> None:
    runbook = CHECKOUT / LEADS_TO[alert]
    assert runbook in RUNBOOKS
    assert alert in named_by(runbook)


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_every_runbook_names_the_alerts_that_lead_to_it(runbook: Path) -> None:
    own = {alert for alert, path in LEADS_TO.items() if CHECKOUT / path == runbook}
    assert named_by(runbook) == own
    assert set(re.findall(r"`(Readshift\w+)`", runbook.read_text())) <= LEADS_TO.keys()


def test_the_table_of_alerts_names_the_same_runbooks() -> None:
    table = (CHECKOUT / "docs/monitoring/README.md").read_text()
    rows = re.findall(r"^\| `(Readshift\w+)` \|.*\]\(\.\./runbooks/(.+?)\) \|$", table, re.MULTILINE)
    assert {alert: f"docs/runbooks/{name}" for alert, name in rows} == LEADS_TO


def named_by(runbook: Path) -> set[str]:
    """Return the alerts that a runbook says it is for, in the one line that begins with them."""
    line = re.search(r"^- Alerts?: ((?:`Readshift\w+`(?:, )?)+)", runbook.read_text(), re.MULTILINE)
    return set(re.findall(r"\w+", line[1])) if line else set()
