"""All that `manage.py readshift doctor` looks at, whatever of it does not answer."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery.app import app_or_default
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import Error

from admin_ui.readiness.assessment import Assessment, Evidence, assess
from admin_ui.readiness.background import ask_broker, read_housekeeping
from admin_ui.readiness.evidence import all_aliases, evidence_of, read_evidence
from admin_ui.readiness.findings import Finding, Verdict, gravest_first, worst
from admin_ui.rules.problems import possible_endpoints, problems_of
from rollout.loading import load_policy
from rollout.policy import Policy
from rollout.settings import get_settings
from routers.control import control_alias
from routers.inspection import Inspection, inspect
from routers.server_facts import Silence

PROJECT = "project"
"""The subject of what concerns no server."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """project: what concerns no cluster. clusters: the checklist and the settings of each."""

    project: tuple[Finding, ...]
    clusters: tuple[Assessment, ...]

    @property
    def verdict(self) -> Verdict:
        """The gravest of all."""
        return worst([*self.project, *(finding for cluster in self.clusters for finding in cluster.checklist)])

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "verdict": self.verdict,
            "project": [finding.as_json() for finding in self.project],
            "clusters": [
                {
                    "cluster": cluster.cluster,
                    "verdict": cluster.verdict,
                    "checklist": [finding.as_json() for finding in cluster.checklist],
                    "settings": {
                        alias: [finding.as_json() for finding in findings]
                        for alias, findings in cluster.settings.items()
                    },
                }
                for cluster in self.clusters
            ],
        }


def diagnose(now: datetime) -> Diagnosis:
    """Look at everything. Raises nothing that a server or a broker can cause."""
    using = control_alias()
    inspection = Inspection(inspect(all_aliases() | {using}), time.monotonic())
    evidence, about_rules = _from_rules(inspection, now, using)
    project = [*_system_checks(), *about_rules, ask_broker(app_or_default())]
    return Diagnosis(
        gravest_first(project), tuple(assess(cluster, evidence) for cluster in get_settings().clusters.values())
    )


def _from_rules(inspection: Inspection, now: datetime, using: str) -> tuple[Evidence, list[Finding]]:
    """Read what the database of the rules tells, unless it did not answer a moment ago: it might hang."""
    said = inspection.servers[using]
    words = said.words if isinstance(said, Silence) else ""
    if not words:
        try:
            findings = [*_policy(load_policy(using), using), read_housekeeping(now, using)]
            return read_evidence(inspection, now, using), findings
        except Error as error:
            words = " ".join(str(error).split())
    step = "Rules, drains and processes are not known. See whether the server answers, and whether migrate was run."
    return evidence_of(inspection), [_about_rules(Verdict.FAIL, f"“{using}”: {words}", step)]


def _policy(policy: Policy, using: str) -> Iterator[Finding]:
    problems = list(policy.problems)
    try:
        endpoints = possible_endpoints(policy.endpoint_rules, using)
    except (ImportError, ImproperlyConfigured) as error:
        step = "Correct ROOT_URLCONF and what it imports."
        yield _about_rules(Verdict.UNKNOWN, f"the project's views cannot be imported: {error}", step)
    else:
        problems += [problem for rule in policy.rules for problem in problems_of(rule, endpoints, get_settings())]
        if not problems:
            yield _about_rules(Verdict.PASS, "nothing is wrong with them")
    for problem in dict.fromkeys(problems):
        yield _about_rules(Verdict.ATTENTION, problem)


def _about_rules(verdict: Verdict, fact: str, step: str = "") -> Finding:
    return Finding("rules", PROJECT, "Rules can be followed", verdict, fact, step)


def _system_checks() -> Iterator[Finding]:
    messages = [message for message in checks.run_checks(tags=["readshift"]) if not message.is_silenced()]
    for message in messages:
        verdict = Verdict.FAIL if message.level >= checks.ERROR else Verdict.ATTENTION
        yield Finding(message.id or "check", PROJECT, "System checks", verdict, message.msg, message.hint or "")
    if not messages:
        yield Finding("system_checks", PROJECT, "System checks", Verdict.PASS, "nothing to say")
