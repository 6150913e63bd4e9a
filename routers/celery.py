"""Celery tasks as units: each has its own, which serves the actor of the unit that enqueued it."""

import time
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun, worker_process_shutdown

from rollout.bucketing import BUCKETS
from rollout.settings import get_settings
from routers import pins
from routers.agent import agent
from routers.subjects import PlainParty, roll_dice
from routers.unit import Unit, UnitKind, current_unit, open_unit

HEADER = "readshift"


def connect() -> None:
    """Follow every task of every Celery app in this process. Called once, when the apps are ready."""
    before_task_publish.connect(_hand_on, dispatch_uid="readshift.hand_on")
    task_prerun.connect(_begin, dispatch_uid="readshift.begin")
    task_postrun.connect(_end, dispatch_uid="readshift.end")
    worker_process_shutdown.connect(_stop, dispatch_uid="readshift.stop")


def outgoing(unit: Unit, now: float) -> dict[str, Any]:
    """Return what a task inherits: who is served, the dice, and until when the primary must answer."""
    until = unit.party.pinned_until
    if unit.written:
        until = max(until, now + get_settings().write_pin_seconds)
    return {"actor": unit.party.actor, "dice": unit.party.dice, "pinned_until": min(until, now + _LONGEST_PIN_SECONDS)}


def incoming(header: object, task_id: str) -> PlainParty:
    """Return the subject of a task from its header, or the task itself when it was enqueued by no unit.

    A header that is not ours pins the task to the primary.
    """
    match header:
        case None:
            return PlainParty(actor=f"task:{task_id}")
        case {"actor": str() | None as actor, "dice": int() as dice, "pinned_until": int() | float() as until} if (
            0 <= dice < BUCKETS
        ):
            return PlainParty(actor=actor, dice=dice, pinned_until=until)
        case _:
            return PlainParty(actor=f"task:{task_id}", dice=roll_dice(), pinned_until=pins.FOR_EVER)


_LONGEST_PIN_SECONDS = 86_400.0
"""A pin for ever is cut to a day: JSON has no infinity."""


def _hand_on(headers: dict[str, Any], **_: Any) -> None:
    unit = current_unit()
    if unit is not None:
        headers[HEADER] = outgoing(unit, time.time())


def _begin(task_id: str, task: Any, **_: Any) -> None:
    outer = current_unit()
    if outer is not None and task.request.is_eager:
        # It runs inside the unit that called it, and what that one has written counts for it, too.
        unit = Unit(UnitKind.TASK, task.name, outer.party, written=outer.written)
    else:
        unit = Unit(UnitKind.TASK, task.name, incoming(task.request.get(HEADER), task_id))
    scope = open_unit(unit)
    scope.__enter__()
    task.request.readshift_scope = scope


def _end(task: Any, **_: Any) -> None:
    # A task that failed before it began has no scope.
    if scope := task.request.__dict__.pop("readshift_scope", None):
        scope.__exit__(None, None, None)


def _stop(**_: Any) -> None:
    agent.stop()
