"""Reports on what was compared, read from the database."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rollout.intervals import wilson
from rollout.models import RoutingRule, ShadowState, TargetKind
from rollout.outcomes import Outcome, ShadowCause
from tasks.reporting.findings import CauseCount, Counts, Latency, Staleness
from tasks.reporting.queries import RuleReport, as_json, read_briefly, read_reports
from tasks.reporting.verdicts import Judgement
from tests.support import route
from tests.tasks.reporting.reported import STATEMENT, shadow_read, store

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def since() -> datetime:
    return timezone.now() - DAY


def only_report() -> RuleReport:
    (report,) = read_reports(since())
    return report


def test_a_rule_counts_the_reads_of_its_endpoint_or_of_its_model() -> None:
    route("shop:product-list")
    route("shop.Review", kind=TargetKind.MODEL)
    store(3, endpoint="shop:product-list", model="shop.Product")
    store(4, endpoint="shop:product-list", model="shop.Review")
    store(5, endpoint="elsewhere", model="shop.Review")
    store(6, endpoint="shop.Review", model="shop:product-list")
    store(7, endpoint="elsewhere", model="shop.Product")
    reports = read_reports(since())
    found = {report.target: report.findings.counts for report in reports}
    assert found == {"shop:product-list": Counts(equal=7), "shop.Review": Counts(equal=9)}


def test_quantiles_and_examples_are_of_the_reads_that_are_counted() -> None:
    route("shop:product-list")
    route("shop.Review", kind=TargetKind.MODEL)
    stale: dict[str, Any] = {"outcome": Outcome.CAUGHT_UP, "endpoint": "shop:product-list", "model": "shop.Review"}
    (both,) = store(1, **stale, staleness_ms=10)
    store(1, **(stale | {"endpoint": "shop.Review", "model": "shop:product-list"}), staleness_ms=90)
    for reports in (read_reports(since()), read_briefly(RoutingRule.objects.all(), since(), "default")):
        assert [report.findings.staleness for report in reports] == [Staleness(10, 10, 10)] * 2
    assert [report.findings.examples for report in read_reports(since())] == [(both.pk,)] * 2


def test_reads_that_are_older_or_not_compared_are_left_out() -> None:
    route()
    store(2)
    store(3, age=DAY + timedelta(minutes=1), outcome=Outcome.DIVERGENT)
    store(4, state=ShadowState.WAITING)
    moment = timezone.now()
    store(5, state=ShadowState.CLAIMED, compared_at=moment, outcome=Outcome.CAUGHT_UP, staleness_ms=9, primary_ms=9)
    findings = only_report().findings
    assert (findings.counts, findings.staleness, findings.examples) == (Counts(equal=2), None, ())


def test_a_rule_of_which_nothing_was_compared_has_a_report_that_says_so() -> None:
    rule = route()
    report = only_report()
    assert (report.rule, report.target_kind, report.target) == (rule.pk, "endpoint", "shop:product-list")
    assert (report.findings.counts, report.findings.first_seen, report.statements) == (Counts(), None, ())
    assert report.verdict.judgement is Judgement.WAIT


def test_outcomes_and_causes_are_counted_the_most_frequent_cause_first() -> None:
    route()
    store(9)
    store(4, outcome=Outcome.CAUGHT_UP, staleness_ms=10)
    store(1, outcome=Outcome.DIVERGENT, cause=ShadowCause.EXTRA_ROW)
    store(2, outcome=Outcome.DIVERGENT, cause=ShadowCause.MISSING_ROW)
    store(3, outcome=Outcome.INCONCLUSIVE, cause=ShadowCause.NONDETERMINISTIC)
    store(2, outcome=Outcome.INCONCLUSIVE, cause=ShadowCause.BEHIND)
    store(1, outcome=Outcome.ERROR, cause=ShadowCause.TIMEOUT)
    findings = only_report().findings
    assert findings.counts == Counts(equal=9, caught_up=4, divergent=3, inconclusive=2, error=1, volatile=3)
    assert findings.causes == (
        CauseCount("caught_up", "", 4),
        CauseCount("inconclusive", "nondeterministic", 3),
        CauseCount("divergent", "missing_row", 2),
        CauseCount("inconclusive", "behind", 2),
        CauseCount("divergent", "extra_row", 1),
        CauseCount("error", "timeout", 1),
    )


def test_the_stale_share_is_of_those_that_were_equal_in_the_end() -> None:
    route()
    store(90)
    store(10, outcome=Outcome.CAUGHT_UP, staleness_ms=10)
    store(50, outcome=Outcome.DIVERGENT, cause=ShadowCause.ORDER)
    stale = only_report().findings.stale
    assert stale is not None
    assert (stale.share, stale.bounds) == (0.1, wilson(10, 100))


def test_quantiles_of_staleness_are_of_those_that_caught_up() -> None:
    route()
    for staleness in range(0, 101, 10):
        store(outcome=Outcome.CAUGHT_UP, staleness_ms=staleness)
    store(outcome=Outcome.DIVERGENT, staleness_ms=5_000)
    assert only_report().findings.staleness == Staleness(p50=50, p95=95, max=100)


def test_latencies_are_of_reads_that_both_sides_answered() -> None:
    route()
    for number in range(11):
        store(primary_ms=number, replica_ms=number * 2)
    store(primary_ms=900, replica_ms=None)
    store(primary_ms=None, replica_ms=900)
    assert only_report().findings.latency == Latency(5, 9.5, 10, 19, ratio=2)


def test_where_no_side_answered_or_the_primary_took_no_time_there_is_no_ratio() -> None:
    route()
    store(primary_ms=None, replica_ms=None)
    assert only_report().findings.latency is None
    store(primary_ms=0, replica_ms=1)
    assert only_report().findings.latency == Latency(0, 0, 1, 1, ratio=None)


def test_first_and_last_seen_are_the_ends_of_what_was_found() -> None:
    route()
    (first,) = store(age=timedelta(hours=5))
    store(age=timedelta(hours=3))
    (last,) = store(age=timedelta(hours=1))
    findings = only_report().findings
    assert (findings.first_seen, findings.last_seen) == (first.compared_at, last.compared_at)


def test_examples_are_the_gravest_and_of_those_the_newest() -> None:
    route()
    store(2)
    stale = store(3, outcome=Outcome.CAUGHT_UP)
    (old,) = store(age=timedelta(hours=2), outcome=Outcome.DIVERGENT)
    (new,) = store(age=timedelta(hours=1), outcome=Outcome.DIVERGENT)
    (error,) = store(outcome=Outcome.ERROR)
    (unclear,) = store(outcome=Outcome.INCONCLUSIVE)
    assert only_report().findings.examples == (new.pk, old.pk, error.pk, unclear.pk, stale[-1].pk)


def test_each_statement_has_a_report_of_its_own_the_worst_first() -> None:
    route()
    store(30, fingerprint="often")
    store(20, fingerprint="seldom")
    store(1, fingerprint="failing", statement="SELECT 2", outcome=Outcome.ERROR, cause=ShadowCause.REFUSED)
    (bad,) = store(1, fingerprint="bad", outcome=Outcome.DIVERGENT, cause=ShadowCause.TYPE, primary_ms=8)
    report = only_report()
    assert [one.fingerprint for one in report.statements] == ["bad", "failing", "often", "seldom"]
    assert report.findings.counts.total == 52
    worst = report.statements[0]
    assert (worst.outline, worst.findings.examples, worst.verdict.judgement) == (STATEMENT, (bad.pk,), Judgement.LOOK)
    assert worst.findings.causes == (CauseCount("divergent", "type", 1),)
    assert worst.findings.latency == Latency(8, 8, 3, 3, ratio=0.375)
    assert report.statements[1].outline == "SELECT 2"


def test_brief_reports_judge_alike_without_statements_latency_and_examples() -> None:
    rules = [route(), route("shop.Product", kind=TargetKind.MODEL), route("names")]
    store(3, fingerprint="one")
    store(2, fingerprint="two", outcome=Outcome.DIVERGENT, cause=ShadowCause.ORDER)
    store(2, fingerprint="two", outcome=Outcome.CAUGHT_UP, staleness_ms=7)
    store(2, age=DAY * 2, outcome=Outcome.CAUGHT_UP, staleness_ms=9)
    start = since()
    whole = {report.rule: report for report in read_reports(start)}
    with CaptureQueriesContext(connection) as captured:
        brief = read_briefly(rules, start, "default")
    assert len(captured) == 2
    for report in brief:
        full = whole[report.rule]
        assert report == replace(full, findings=replace(full.findings, latency=None, examples=()), statements=())
    assert brief[0].findings.staleness == Staleness(7, 7, 7)


def test_three_queries_whatever_the_number_of_rules_and_statements() -> None:
    for number in range(5):
        route(f"endpoint{number}")
        for kind in range(4):
            store(2, endpoint=f"endpoint{number}", fingerprint=f"f{kind}", outcome=Outcome.DIVERGENT)
    with CaptureQueriesContext(connection) as captured:
        reports = read_reports(since())
    assert len(captured) == 3
    assert [len(report.statements) for report in reports] == [4] * 5


def test_the_json_form_survives_the_way_through_json_and_names_everything() -> None:
    route()
    store(3)
    store(1, outcome=Outcome.CAUGHT_UP, staleness_ms=25)
    report = only_report()
    form = json.loads(json.dumps(as_json(report)))
    assert form == as_json(report)
    assert datetime.fromisoformat(form["since"]) == report.since
    assert form["verdict"]["judgement"] == "wait"
    assert form["findings"]["counts"]["equal"] == 3
    assert form["findings"]["stale"]["bounds"]["high"] == wilson(1, 4).high
    assert form["findings"]["staleness"] == {"p50": 25, "p95": 25, "max": 25}
    assert form["statements"][0]["outline"] == STATEMENT


def test_a_read_without_an_endpoint_counts_for_its_model_alone() -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    shadow_read(endpoint="").save()
    assert only_report().findings.counts == Counts(equal=1)
