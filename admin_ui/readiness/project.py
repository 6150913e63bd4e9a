"""Judges how the project connects to its servers, by `DATABASES`. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from admin_ui.readiness.findings import Finding, Verdict
from rollout.options import Cluster

Databases = Mapping[str, Mapping[str, Any]]

_LONGEST_CONNECT_SECONDS = 10


def judge_project(cluster: Cluster, databases: Databases) -> Iterator[Finding]:
    """Judge the aliases of a cluster, the primary first."""
    for alias in (cluster.primary, *(replica.alias for replica in cluster.replicas)):
        yield _connect_timeout(alias, databases[alias])
        yield _persistence(alias, databases[alias])
        yield _address(alias, databases[alias], is_primary=alias == cluster.primary)


def _connect_timeout(alias: str, options: Mapping[str, Any]) -> Finding:
    title = "Connecting to a server that hangs ends soon"
    driver = options.get("OPTIONS", {})
    seconds = driver.get("connect_timeout")
    if seconds is None and "service" in driver:
        fact = f"the service “{driver['service']}” may set it"
        return Finding("connect_timeout", alias, title, Verdict.UNKNOWN, fact, "Set connect_timeout in its OPTIONS.")
    if seconds is None:
        step = (
            'Requests may wait for minutes. Set "connect_timeout" to 2 to 5 seconds in the "OPTIONS" of its entry of '
            "DATABASES."
        )
        return Finding("connect_timeout", alias, title, Verdict.ATTENTION, "has no connect_timeout", step)
    if int(seconds) <= 0 or int(seconds) > _LONGEST_CONNECT_SECONDS:
        step = f"Requests wait for that long, or for ever. Set it to {_LONGEST_CONNECT_SECONDS} seconds or less."
        return Finding("connect_timeout", alias, title, Verdict.ATTENTION, f"connect_timeout {seconds}", step)
    return Finding("connect_timeout", alias, title, Verdict.PASS, f"connect_timeout {seconds} s")


def _persistence(alias: str, options: Mapping[str, Any]) -> Finding:
    title = "Connections that a restart has broken are found"
    if options.get("OPTIONS", {}).get("pool"):
        return Finding("persistence", alias, title, Verdict.PASS, "has a pool")
    age = options.get("CONN_MAX_AGE", 0)
    if age == 0:
        return Finding("persistence", alias, title, Verdict.PASS, "connects anew for each request")
    fact = "keeps connections for ever" if age is None else f"keeps connections for {age} s"
    if options.get("CONN_HEALTH_CHECKS"):
        return Finding("persistence", alias, title, Verdict.PASS, f"{fact} and checks them")
    step = (
        "After a restart or a failover, the first request of each thread finds its connection broken. Set "
        '"CONN_HEALTH_CHECKS" to True in its entry of DATABASES.'
    )
    return Finding("persistence", alias, title, Verdict.ATTENTION, f"{fact} and does not check them", step)


def _address(alias: str, options: Mapping[str, Any], *, is_primary: bool) -> Finding:
    title = "Each alias leads to the server that it is meant for"
    hosts = str(options.get("HOST") or "")
    wanted = options.get("OPTIONS", {}).get("target_session_attrs", "any")
    if "," not in hosts:
        return Finding("address", alias, title, Verdict.PASS, hosts or "the local socket")
    if not is_primary:
        step = "What one connection found out says nothing about the next one. Give each server an alias of its own."
        return Finding("address", alias, title, Verdict.ATTENTION, f"several hosts: {hosts}", step)
    if wanted not in {"read-write", "primary"}:
        step = 'It may lead to a standby. Set "target_session_attrs": "read-write" in its OPTIONS.'
        return Finding("address", alias, title, Verdict.FAIL, f"several hosts: {hosts}", step)
    return Finding("address", alias, title, Verdict.PASS, f"the writable one of {hosts}")
