"""Reports on shadow reads: what was found about each rule, and about each statement of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rollout.models import RoutingRule
from routers.control import control_alias
from tasks.reporting.findings import Findings
from tasks.reporting.measures import Key, measure_all, measure_staleness
from tasks.reporting.sums import add_up, of_rules, read_bunches
from tasks.reporting.verdicts import Verdict, judge


@dataclass(frozen=True, slots=True)
class StatementReport:
    """One statement of a rule. outline: its text without literals."""

    fingerprint: str
    outline: str
    verdict: Verdict
    findings: Findings


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One rule, and its statements: those with the most divergent reads first, then the most failed, the most frequent.

    rule: its id. since: reads that were compared earlier are left out.
    """

    rule: int
    target_kind: str
    target: str
    since: datetime
    verdict: Verdict
    findings: Findings
    statements: tuple[StatementReport, ...] = ()


def read_reports(since: datetime, using: str | None = None) -> tuple[RuleReport, ...]:
    """Return a report of each rule, in the rules' order, on reads that were compared since then.

    A read counts for the rule of its endpoint and for the rule of its model, whichever of them had it captured. It
    takes three queries, whatever the number of rules and statements. A read whose comparison ends between two of them
    may be in the counts and not in the quantiles, or the other way round.
    """
    using = using or control_alias()
    rules = list(RoutingRule.objects.using(using))
    bunches = read_bunches(since, using, by_statement=True)
    found = add_up(rules, bunches, measure_all(since, using))
    outlines = {bunch.fingerprint: bunch.outline for bunch in bunches}
    return tuple(_report(rule, since, found, outlines) for rule in rules)


def read_briefly(rules: Iterable[RoutingRule], since: datetime, using: str) -> tuple[RuleReport, ...]:
    """Return reports of these rules without statements, latency and examples, in two queries that cost far less."""
    rules = list(rules)
    found = add_up(
        rules,
        read_bunches(since, using, by_statement=False, narrowed=of_rules(rules)),
        measure_staleness(rules, since, using),
    )
    return tuple(_report(rule, since, found, {}) for rule in rules)


def as_json(report: RuleReport) -> dict[str, Any]:
    """Return a report in values that JSON has: times as ISO 8601, shares as numbers from 0 to 1."""
    return asdict(report, dict_factory=_plain)


def _report(
    rule: RoutingRule, since: datetime, found: Mapping[Key, Findings], outlines: Mapping[str | None, str]
) -> RuleReport:
    findings = found.get((rule.pk, None), Findings())
    return RuleReport(
        rule=rule.pk,
        target_kind=rule.target_kind,
        target=rule.target,
        since=since,
        verdict=judge(findings),
        findings=findings,
        statements=tuple(sorted(_statements(rule, found, outlines), key=_worst_first)),
    )


def _statements(
    rule: RoutingRule, found: Mapping[Key, Findings], outlines: Mapping[str | None, str]
) -> Iterator[StatementReport]:
    for (pk, fingerprint), findings in found.items():
        if pk == rule.pk and fingerprint is not None:
            yield StatementReport(fingerprint, outlines[fingerprint], judge(findings), findings)


def _worst_first(report: StatementReport) -> tuple[int, int, int, str]:
    counts = report.findings.counts
    return -counts.divergent, -counts.failed, -counts.total, report.fingerprint


def _plain(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in fields}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
