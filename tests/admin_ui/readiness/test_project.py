"""What is said of the way in which the project connects."""

from typing import Any

import pytest

from admin_ui.readiness.findings import Finding, Verdict, worst
from admin_ui.readiness.project import judge_project
from tests.admin_ui.readiness.samples import CLUSTER

WELL: dict[str, Any] = {
    "HOST": "db0",
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {"connect_timeout": 2},
}


def judged(alias: str, options: dict[str, Any]) -> dict[str, Finding]:
    databases = {"default": WELL, "replica1": WELL, "replica2": WELL, alias: {**WELL, **options}}
    return {found.id: found for found in judge_project(CLUSTER, databases) if found.subject == alias}


def test_a_careful_project_is_well() -> None:
    assert worst(judge_project(CLUSTER, dict.fromkeys(CLUSTER.aliases, WELL))) is Verdict.PASS


@pytest.mark.parametrize(
    ("check", "options", "verdict"),
    [
        ("connect_timeout", {"OPTIONS": {}}, Verdict.ATTENTION),
        ("connect_timeout", {"OPTIONS": {"connect_timeout": 0}}, Verdict.ATTENTION),
        ("connect_timeout", {"OPTIONS": {"connect_timeout": "60"}}, Verdict.ATTENTION),
        ("connect_timeout", {"OPTIONS": {"service": "shop"}}, Verdict.UNKNOWN),
        ("persistence", {"CONN_HEALTH_CHECKS": False}, Verdict.ATTENTION),
        ("persistence", {"CONN_HEALTH_CHECKS": False, "CONN_MAX_AGE": None}, Verdict.ATTENTION),
        ("persistence", {"CONN_HEALTH_CHECKS": False, "CONN_MAX_AGE": 0}, Verdict.PASS),
        ("persistence", {"CONN_HEALTH_CHECKS": False, "OPTIONS": {"pool": True}}, Verdict.PASS),
        ("address", {"HOST": "db0,db1"}, Verdict.FAIL),
        ("address", {"HOST": "db0,db1", "OPTIONS": {"target_session_attrs": "read-write"}}, Verdict.PASS),
        ("address", {"HOST": ""}, Verdict.PASS),
    ],
)
def test_what_is_said_of_the_primary(check: str, options: dict[str, Any], verdict: Verdict) -> None:
    assert judged("default", options)[check].verdict is verdict


def test_a_replica_behind_several_hosts_is_never_one_server() -> None:
    found = judged("replica1", {"HOST": "db1,db2", "OPTIONS": {"target_session_attrs": "read-write"}})
    assert found["address"].verdict is Verdict.ATTENTION
