"""Gauges from the tables: rules, plans, processes, drained replicas and shadow reads."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from waffle.models import Switch

from admin_ui.metrics.families import (
    DRAINED,
    KILL_SWITCH,
    PLAN_LOOKED,
    PLAN_SHARE,
    PLAN_STAGE,
    PLAN_STAGES,
    PLAN_STATE,
    PROCESSES,
    REVISION,
    RULE_SHARE,
    RULES,
    SHADOW_READS,
    UNSEEN_DIVERGENT,
    VERDICTS,
    Family,
)
from admin_ui.metrics.steering import read_gauges
from rollout import plans
from rollout.loading import read_revision
from rollout.models import DrainedReplica, Mode, Process, RolloutPlan, ShadowState
from rollout.models.process import Identity
from rollout.outcomes import Outcome
from tests.admin_ui.support import flag
from tests.rollout.support import draft_plan
from tests.support import route
from tests.tasks.stored import store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kill_switch")]

RULE = ("endpoint", "names")


def gauges(family: Family, most: int = 100) -> dict[tuple[str, ...], float]:
    return {
        sample.labels: sample.value
        for sample in read_gauges(timezone.now(), most, "default")
        if sample.family is family
    }


def compared(number: int, outcome: str, hours_ago: float = 1, **fields: Any) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    for _ in range(number):
        store(endpoint="names", state=ShadowState.DONE, outcome=outcome, compared_at=at, **fields)


def test_the_kill_switch_and_the_revision() -> None:
    assert gauges(KILL_SWITCH) == {(): 1}
    before = gauges(REVISION)[()]
    switch = Switch.objects.get()
    switch.active = False
    switch.save()
    assert gauges(KILL_SWITCH) == {(): 0}
    assert gauges(REVISION) == {(): read_revision("default")} != {(): before}


def test_rules_by_mode_and_what_each_sends_to_replicas() -> None:
    route("names", gate=flag(percent="2.5"))
    route("shop.Product", kind="model", gate=flag("other", everyone=True), mode=Mode.OBSERVE)
    assert gauges(RULES) == {("pin",): 0, ("observe",): 1, ("route",): 1}
    assert gauges(RULE_SHARE) == {(*RULE, "route"): 0.025, ("model", "shop.Product", "observe"): 0}


def test_of_many_rules_those_that_send_somebody_to_replicas_are_told_first() -> None:
    route("a", mode=Mode.OBSERVE)
    route("z")
    route("planned", gate=flag(everyone=False))
    assert {target for _, target, _ in gauges(RULE_SHARE, most=1)} == {"z"}
    assert gauges(RULES, most=1)["route",] == 2


def test_a_plan_with_its_stage_and_verdicts() -> None:
    plan = plans.start(draft_plan().pk).plan
    looked_at = timezone.now()
    verdicts = {
        "lag": {"finding": "pass", "reason": "", "trial": False},
        "error_rate": {"finding": "fail", "reason": "", "trial": True},
    }
    RolloutPlan.objects.filter(pk=plan.pk).update(verdicts=verdicts, looked_at=looked_at)
    states = gauges(PLAN_STATE)
    assert states[*RULE, "running"] == 1
    assert sum(states.values()) == 1
    assert (gauges(PLAN_STAGE), gauges(PLAN_STAGES)) == ({RULE: 1}, {RULE: 3})
    assert gauges(PLAN_SHARE) == {RULE: 0.05}
    assert gauges(PLAN_LOOKED) == {RULE: looked_at.timestamp()}
    found = gauges(VERDICTS)
    assert len(found) == 6
    assert {labels for labels, value in found.items() if value} == {
        (*RULE, "lag", "pass", "false"),
        (*RULE, "error_rate", "fail", "true"),
    }


def test_a_plan_that_was_taken_back_says_so() -> None:
    plan = plans.start(draft_plan().pk).plan
    plans.roll_back(plan.pk)
    assert gauges(PLAN_STATE)[*RULE, "rolled_back"] == 1


def test_processes_by_whether_they_act_on_the_current_revision() -> None:
    route("names")
    for pid, behind in ((1, 0), (2, 0), (3, 1)):
        identity = Identity(uuid4(), "web1", pid, "gunicorn", timezone.now())
        Process.objects.tell(identity, read_revision("default") - behind, "default")
    Process.objects.filter(pid=1).update(seen_at=timezone.now() - timedelta(hours=1))
    assert gauges(PROCESSES) == {("current",): 1, ("behind",): 1, ("gone",): 1}


def test_drained_replicas() -> None:
    DrainedReplica.objects.create(alias="replica2")
    assert gauges(DRAINED) == {("replica1",): 0, ("replica2",): 1}


def test_shadow_reads_of_a_rule_by_outcome_and_those_that_nobody_has_looked_at() -> None:
    route("names")
    route("without", mode=Mode.OBSERVE)
    compared(3, Outcome.EQUAL)
    compared(2, Outcome.DIVERGENT)
    compared(1, Outcome.DIVERGENT, looked_at=timezone.now())
    compared(4, Outcome.DIVERGENT, hours_ago=25)
    found = gauges(SHADOW_READS)
    assert {labels for labels, value in found.items() if value} == {(*RULE, "equal"), (*RULE, "divergent")}
    assert (found[*RULE, "equal"], found[*RULE, "divergent"], found[*RULE, "error"]) == (3, 3, 0)
    assert gauges(UNSEEN_DIVERGENT) == {RULE: 2}
