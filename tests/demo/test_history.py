"""The week of history that pictures are made of: what our own code makes of it."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import F
from django.utils import timezone

from demo.history import counts, shadows, write_history
from demo.history.story import Step
from rollout.guardrails import Metric
from rollout.loading import load_policy
from rollout.models import ArmCount, Baseline, DrainedReplica, Event, RolloutPlan, ShadowRead, Tally
from rollout.outcomes import Outcome
from rollout.plan_states import State
from rollout.propagation import wait_for_processes
from rollout.verdicts import Finding
from routers.captured import open_statement
from tasks.reporting.queries import read_reports
from tasks.reporting.verdicts import Judgement


@pytest.mark.django_db(transaction=True)
def test_our_own_code_finds_in_it_what_it_tells() -> None:
    now = timezone.now()
    write_history(now, days=1)
    rolled_back, running = RolloutPlan.objects.order_by("pk")
    assert (rolled_back.state, running.state) == (State.ROLLED_BACK, State.RUNNING)
    assert running.expected_percent == 50
    assert running.looked_at is not None
    assert running.sample > 1_000
    findings = {metric: verdict["finding"] for metric, verdict in running.verdicts.items()}
    assert findings.keys() == set(Metric)
    assert Finding.FAIL not in findings.values()
    assert Finding.PASS in findings.values()

    judgements = {report.target: report.verdict.judgement for report in read_reports(now - timedelta(days=7))}
    assert judgements["shop:order-list"] is Judgement.LOOK
    assert judgements["shop:product-list"] is Judgement.SAFE
    divergent = ShadowRead.objects.filter(outcome=Outcome.DIVERGENT).first()
    assert divergent is not None
    assert divergent.sealed is not None
    assert open_statement(bytes(divergent.sealed)).query.decode() == divergent.statement
    assert divergent.details["columns"] == [{"column": "status", "rows": 1}]

    (baseline,) = Baseline.objects.all()
    assert running.started_at is not None
    assert baseline.ends_at <= running.started_at
    assert baseline.endpoints["shop:product-list"]["units"] > 1_000

    check_that_nothing_is_to_come(now)
    assert not DrainedReplica.objects.exists()
    revision = load_policy("default").revision
    assert wait_for_processes(revision, 0, "default").is_complete


def check_that_nothing_is_to_come(now: datetime) -> None:
    for model, moment in ((Event, "at"), (Tally, "starts_at"), (ArmCount, "starts_at"), (ShadowRead, "compared_at")):
        assert not model.objects.filter(**{f"{moment}__gt": now}).exists(), model
    in_order_of_time = Event.objects.order_by(F("at").desc(), "-pk").values_list("pk", flat=True)
    assert list(in_order_of_time) == list(Event.objects.order_by("-pk").values_list("pk", flat=True))


def test_it_is_the_same_every_time() -> None:
    now = timezone.now()
    step = Step(now - timedelta(hours=1), Decimal(50), 7)

    def drawn() -> list[object]:
        spans = counts._spans(now, [step], days=1)
        rows = [*counts._tallies(spans), *counts._arms(spans), *counts._endpoints(spans), *shadows._reads(now)]
        untold = {"_state", "sealed"}
        return [{name: value for name, value in vars(row).items() if name not in untold} for row in rows]

    first = drawn()
    assert len(first) > 1_000
    assert drawn() == first
