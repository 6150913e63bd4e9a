"""Looks after staged rollouts."""

from celery import shared_task

from rollout.watching import watch
from routers.control import control_alias
from routers.own_work import own_work


@shared_task(name="readshift.watch_plans", ignore_result=True)
def watch_plans() -> int:
    """Take the next step of every plan that is under way, and return how many there are. Safe to run twice at once.

    Where no worker runs, the processes that serve do the same, a little later: see `routers.watchman`.
    """
    with own_work():
        return len(watch(control_alias()))
