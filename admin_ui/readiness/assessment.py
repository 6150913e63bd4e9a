"""Puts all findings about a cluster together: its checklist, and the settings of each server. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from admin_ui.readiness.findings import Finding, Verdict, gravest_first, worst
from admin_ui.readiness.identity import Said, judge_identity
from admin_ui.readiness.operations import EVERYWHERE, judge_pools
from admin_ui.readiness.primary_configuration import judge_primary_settings
from admin_ui.readiness.project import Databases, judge_project
from admin_ui.readiness.replica_configuration import judge_replica_settings
from admin_ui.readiness.replication import (
    judge_checksums,
    judge_idle_slots,
    judge_rejoining,
    judge_replica,
    judge_succession,
    slot_of,
)
from rollout.options import Cluster
from routers.server_facts import ServerFacts


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the judgement rests on.

    servers: what each said. databases: the project's own setting. greatest_lag: beyond how many seconds a replica
    serves no reads. measured: how many seconds each is behind, where this process has measured it. loads: reads per
    second that each serves. drained: aliases. operations: findings that concern all clusters.
    """

    servers: Mapping[str, Said]
    databases: Databases
    greatest_lag: float
    measured: Mapping[str, float] = field(default_factory=dict)
    loads: Mapping[str, float] = field(default_factory=dict)
    drained: frozenset[str] = frozenset()
    operations: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """One cluster. checklist: one finding for each check, the gravest first. settings: of each server, by alias."""

    cluster: str
    checklist: tuple[Finding, ...]
    settings: Mapping[str, tuple[Finding, ...]]

    @property
    def verdict(self) -> Verdict:
        return worst(self.checklist)

    @property
    def unwell(self) -> tuple[Finding, ...]:
        """The part of the checklist that is to be read, the gravest first."""
        return tuple(finding for finding in self.checklist if finding.verdict is not Verdict.PASS)

    @property
    def well(self) -> tuple[Finding, ...]:
        """The part of the checklist that asks for nothing."""
        return tuple(finding for finding in self.checklist if finding.verdict is Verdict.PASS)


def assess(cluster: Cluster, evidence: Evidence) -> Assessment:
    """Judge a cluster."""
    settings = dict(_settings(cluster, evidence))
    found = [
        *_of_servers(cluster, evidence),
        *(_of_settings(alias, findings) for alias, findings in settings.items()),
        *judge_pools(cluster, evidence.loads, evidence.drained),
        *evidence.operations,
        *judge_project(cluster, evidence.databases),
    ]
    return Assessment(cluster.primary, gravest_first(_merged(found)), settings)


def _of_servers(cluster: Cluster, evidence: Evidence) -> Iterator[Finding]:
    said = evidence.servers
    primary = _facts(said.get(cluster.primary))
    yield from judge_identity(cluster.primary, said.get(cluster.primary), said.get(cluster.primary), is_primary=True)
    for replica in cluster.replicas:
        yield from judge_identity(replica.alias, said.get(replica.alias), said.get(cluster.primary), is_primary=False)
    followers = _followers(cluster, evidence)
    for alias, facts in followers.items():
        yield from judge_replica(
            alias,
            facts,
            primary,
            measured=evidence.measured.get(alias),
            greatest_lag=evidence.greatest_lag,
        )
        yield judge_succession(alias, facts, len(cluster.replicas))
        if primary is not None:
            yield judge_checksums(alias, facts, primary)
    if primary is not None:
        yield judge_rejoining(cluster.primary, primary)
        yield judge_idle_slots(cluster.primary, primary, {slot_of(facts) for facts in followers.values()})


def _followers(cluster: Cluster, evidence: Evidence) -> dict[str, ServerFacts]:
    """Return what the replicas that are standbys say. One that was promoted is judged as what it should be no more."""
    said = {replica.alias: _facts(evidence.servers.get(replica.alias)) for replica in cluster.replicas}
    return {alias: facts for alias, facts in said.items() if facts is not None and facts.is_standby}


def _settings(cluster: Cluster, evidence: Evidence) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    primary = _facts(evidence.servers.get(cluster.primary))
    if primary is not None:
        yield cluster.primary, tuple(judge_primary_settings(cluster.primary, primary, len(cluster.replicas)))
    for alias, facts in _followers(cluster, evidence).items():
        yield alias, tuple(judge_replica_settings(alias, facts, primary, evidence.greatest_lag))


def _of_settings(alias: str, findings: Sequence[Finding]) -> Finding:
    """Return what the checklist says of a server's settings: which of them are not well."""
    title = "Settings that replication and a failover rest on"
    unwell = [finding for finding in gravest_first(findings) if finding.verdict is not Verdict.PASS]
    if not unwell:
        return Finding("settings", alias, title, Verdict.PASS, "all are well")
    fact = ", ".join(f"{finding.id} {finding.fact}" for finding in unwell)
    return Finding("settings", alias, title, worst(unwell), fact, unwell[0].next_step)


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Make one finding of all with the same check, which keeps the gravest and what they have found."""
    by_check: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_check[finding.id].append(finding)
    for check, group in by_check.items():
        verdict = worst(group)
        telling = [finding for finding in group if verdict is Verdict.PASS or finding.verdict is not Verdict.PASS]
        subjects: dict[str, list[str]] = defaultdict(list)
        for finding in telling:
            subjects[finding.fact].append(finding.subject)
        steps = dict.fromkeys(finding.next_step for finding in gravest_first(telling) if finding.next_step)
        yield Finding(
            check,
            ", ".join(dict.fromkeys(finding.subject for finding in telling)),
            group[0].title,
            verdict,
            "; ".join(_about(aliases, fact) for fact, aliases in subjects.items()),
            " ".join(steps),
        )


def _about(subjects: list[str], fact: str) -> str:
    return fact if subjects == [EVERYWHERE] else f"{', '.join(subjects)}: {fact}"


def _facts(said: Said) -> ServerFacts | None:
    return said if isinstance(said, ServerFacts) else None
