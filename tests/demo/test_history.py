"""The week of history that pictures are made of: what our own code makes of it."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from demo.history import write_history
from rollout.guardrails import Metric
from rollout.loading import load_policy
from rollout.models import ArmCount, DrainedReplica, Event, RolloutPlan, ShadowRead, Tally
from rollout.outcomes import Outcome
from rollout.plan_states import State
from rollout.propagation import wait_for_processes
from rollout.verdicts import Finding
from routers.captured import open_statement
from tasks.reporting.queries import read_reports
from tasks.reporting.verdicts import Judgement

pytestmark = pytest.mark.django_db(transaction=True)


def test_our_own_code_finds_in_it_what_it_tells() -> None:
    now = timezone.now()
    write_history(now, days=1)
    rolled_back, running = RolloutPlan.objects.order_by("pk")
    assert (rolled_back.state, running.state) == (State.ROLLED_BACK, State.RUNNING)
    assert (running.expected_percent, running.looked_at is not None) == (50, True)
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

    assert not DrainedReplica.objects.exists()
    revision = load_policy("default").revision
    assert wait_for_processes(revision, 0, "default").is_complete


def test_nothing_of_it_is_to_come() -> None:
    now = timezone.now()
    write_history(now, days=1)
    for model, moment in ((Event, "at"), (Tally, "starts_at"), (ArmCount, "starts_at"), (ShadowRead, "compared_at")):
        assert not model.objects.filter(**{f"{moment}__gt": now}).exists(), model
    assert list(Event.objects.values_list("pk")) == list(
        Event.objects.order_by(F("at").desc(), "-pk").values_list("pk")
    )


def test_it_is_the_same_every_time() -> None:
    now = timezone.now()

    class UndoneError(Exception):
        """Raised to take a week back."""

    def write() -> list[object]:
        counts = []
        with suppress(UndoneError), transaction.atomic():
            write_history(now, days=1)
            counts += [Tally.objects.aggregate(Sum("count")), ArmCount.objects.aggregate(Sum("units"))]
            counts += ShadowRead.objects.order_by("compared_at").values_list("outcome", "compared_at", "staleness_ms")
            raise UndoneError
        return counts

    first = write()
    assert len(first) > 100
    assert write() == first
