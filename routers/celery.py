"""Celery tasks as units: each has its own, which serves the actor of the unit that enqueued it."""

import time
from functools import partial
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun, worker_process_shutdown
from celery.states import FAILURE

from rollout.bucketing import BUCKETS
from routers.agent import agent
from routers.carriers import announce_errand, leave_in_cache
from routers.courier import courier
from routers.current import current_unit, open_unit
from routers.subjects import PlainParty, roll_dice
from routers.tokens import FOREIGN, decode, encode
from routers.trail import Trail, begin_outside, end_outside, outside_trail
from routers.unit import Unit, UnitKind
from routers.whereabouts import conclude, token_for_task

HEADER = "readshift"


def connect() -> None:
    """Follow every task of every Celery app in this process. Called once, when the apps are ready."""
    before_task_publish.connect(_hand_on, dispatch_uid="readshift.hand_on")
    task_prerun.connect(_begin, dispatch_uid="readshift.begin")
    task_postrun.connect(_end, dispatch_uid="readshift.end")
    worker_process_shutdown.connect(_stop, dispatch_uid="readshift.stop")


def outgoing(trail: Trail, now: float) -> dict[str, Any]:
    """Return what a task inherits: who is served, the dice, and what its reads must show."""
    return {"actor": trail.party.actor, "dice": trail.party.dice, "token": encode(token_for_task(trail, now))}


def incoming(header: object, task_id: str, now: float) -> PlainParty:
    """Return the subject of a task from its header, or the task itself when it was enqueued by no unit.

    With a header that is not ours, the task reads from the primary.
    """
    match header:
        case None:
            return PlainParty(actor=f"{_OWN_ACTOR}{task_id}")
        case {"actor": str() | None as actor, "dice": int() as dice, "token": str() as text} if 0 <= dice < BUCKETS:
            return PlainParty(actor=actor, dice=dice, token=decode(text, now))
        case _:
            return PlainParty(actor=f"{_OWN_ACTOR}{task_id}", dice=roll_dice(), token=FOREIGN)


_OWN_ACTOR = "task:"
"""The actor of a task that serves nobody else."""


def _hand_on(headers: dict[str, Any], **_: Any) -> None:
    unit, now = current_unit(), time.time()
    if unit is not None:
        headers[HEADER] = outgoing(unit.trail, now)
        unit.trail.has_delegated = True
    elif token := token_for_task(outside_trail(), now):
        # It serves nobody in particular, and must find what the code that enqueues it has written.
        headers[HEADER] = {"actor": f"{_OWN_ACTOR}{headers.get('id')}", "dice": roll_dice(), "token": encode(token)}


def _begin(task_id: str, task: Any, **_: Any) -> None:
    outer = current_unit()
    if outer is not None and task.request.is_eager:
        # It runs inside the unit that called it, and what that one has written counts for it, too.
        unit = Unit(UnitKind.TASK, task.name, outer.trail)
    elif task.request.is_eager:
        trail = begin_outside(PlainParty(actor=f"{_OWN_ACTOR}{task_id}"))
        unit = Unit(UnitKind.TASK, task.name, trail)
        task.request.readshift_trail = trail
    else:
        trail = Trail(incoming(task.request.get(HEADER), task_id, time.time()))
        # The result is stored before the task is over for us. Whoever reads it must not find less than it says.
        if actor := _served(trail):
            trail.on_news = partial(announce_errand, actor, task_id)
        unit = Unit(UnitKind.TASK, task.name, trail)
        task.request.readshift_trail = trail
    scope = open_unit(unit)
    scope.__enter__()
    task.request.readshift_scope = scope
    task.request.readshift_unit = unit


def _end(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    # A task that failed before it began has no scope.
    if scope := task.request.__dict__.pop("readshift_scope", None):
        scope.__exit__(None, None, None)
    if unit := task.request.__dict__.pop("readshift_unit", None):
        # There is no state yet where an error is passed on to the code that called the task in its own process.
        unit.end(failed=state in {None, FAILURE})
    trail: Trail | None = task.request.__dict__.pop("readshift_trail", None)
    if trail is not None and task.request.is_eager:
        end_outside(trail)
    elif trail is not None and trail.has_news and (actor := _served(trail)) is not None:
        conclude(trail, time.time())
        leave_in_cache(actor, trail.learned, task_id)


def _served(trail: Trail) -> str | None:
    """Return the actor that the task serves, or None when nobody waits for what it does."""
    actor = trail.party.actor
    return None if actor is None or actor.startswith(_OWN_ACTOR) else actor


def _stop(**_: Any) -> None:
    # Processes of a pool end without what `atexit` would do.
    courier.stop()
    agent.stop()
