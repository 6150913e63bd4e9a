"""Plans that are looked after where no worker runs."""

from typing import Any

import pytest
from django.utils import timezone
from waffle.models import Flag

from demo.waiting import wait_until
from rollout import plans
from rollout.models import ArmCount, RolloutPlan, Side
from rollout.plan_states import State
from routers.watchman import Watchman
from tests.rollout.support import draft_plan
from tests.support import Servers, probing

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_a_process_that_serves_takes_a_plan_back_by_itself(servers: Servers, settings: Any) -> None:
    plan = plans.start(draft_plan().pk).plan
    with probing(settings):
        for side, failed in ((Side.REPLICA, 900), (Side.PRIMARY, 10)):
            ArmCount.objects.create(
                starts_at=timezone.now(), span_seconds=10, target_kind="endpoint", target="names", side=side,
                revision=plan.stage_revision, units=10_000, failed=failed,
            )  # fmt: skip
        wait_until(lambda: RolloutPlan.objects.get().state == State.ROLLED_BACK, 30, "the plan to be taken back")
    assert Flag.objects.get().everyone is False


def test_it_looks_again_only_after_a_pause(servers: Servers) -> None:
    plans.start(draft_plan().pk)
    times = iter((0.0, 0.0, 2.9, 3.1, 3.1))
    watchman = Watchman(clock=lambda: next(times), dice=lambda: 0.5)
    looked = []
    for _ in range(3):
        watchman.look("default")
        looked.append(RolloutPlan.objects.get().looked_at)
        RolloutPlan.objects.update(looked_at=None)
    assert [at is not None for at in looked] == [True, False, True]
