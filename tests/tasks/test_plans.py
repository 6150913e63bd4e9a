"""The scheduled look after rollout plans."""

import pytest

from rollout import plans
from rollout.models import RolloutPlan
from tasks.plans import watch_plans
from tests.rollout.support import draft_plan

pytestmark = pytest.mark.django_db


def test_it_looks_at_every_plan_that_is_under_way() -> None:
    draft_plan("idle", "closed")
    plans.start(draft_plan().pk)
    assert watch_plans() == 1
    idle, running = RolloutPlan.objects.order_by("pk")
    assert idle.looked_at is None
    assert running.outlook
