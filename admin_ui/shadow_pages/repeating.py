"""What the button that has a read compared again asks for, and what is known of that comparison."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from celery import Celery
from celery.app import app_or_default
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from admin_ui.operating.actions import Step
from admin_ui.shadow_pages.expiry import is_expired
from admin_ui.shadow_pages.words import moment, outcome_label, took
from rollout.exposure import Change, Exposure
from rollout.gates import NOBODY
from rollout.models import ShadowRead, ShadowState
from tasks.comparing.repeats import AGAIN, PATIENCE, ask, is_asked
from tasks.reporting.findings import cause_words
from tasks.shadow import COMPARE_ASKED

LONGEST_SEND_SECONDS = 2.0
"""How long whoever presses the button waits for a broker that does not answer."""

_COMMIT_SECONDS = 2
"""When a worker may begin: once the request has committed that somebody asked."""


def repeat_step(pk: int, now: datetime, using: str) -> Step:
    """Plan telling a worker to compare a read again. Call it in a transaction: the row stays locked until it ends."""
    reads = ShadowRead.objects.using(using).select_for_update()
    read = reads.filter(pk=pk, state=ShadowState.DONE, sealed__isnull=False).first()
    if read is None or is_expired(read, now):
        raise ValidationError(f"Shadow read {pk} cannot be compared again: its statement is not kept any more.")
    if is_asked(read, now):
        raise ValidationError(
            f"Shadow read {pk} is to be compared again already. Reload the page to see what came of it."
        )
    same = Exposure(NOBODY)
    change = Change(f"{read} given to a worker to be compared again", same, same)

    def apply() -> Change:
        ask(read, now, using)
        _send(app_or_default(), pk)
        return change

    return Step(
        change, effects=(), apply=apply, subject=lambda: read, warning="Reload the page to see what came of it."
    )


def again_words(read: ShadowRead, now: datetime) -> str:
    """Say what is known of a further comparison of a read; nothing where nobody asked for one."""
    again = read.details.get(AGAIN)
    if not isinstance(again, Mapping):
        return ""
    if "outcome" not in again:
        asked = _moment(again, "asked_at")
        late = (
            "no worker has answered yet: reload the page"
            if is_asked(read, now)
            else f"no worker has answered within {PATIENCE.total_seconds() / 60:g} minutes"
        )
        return f"Somebody asked at {asked} to have it compared again, and {late}."
    cause = again.get("cause")
    facts = [
        f"Compared again at {_moment(again, 'compared_at')}: {outcome_label(str(again['outcome']))}",
        cause_words(str(cause)) if cause else "",
        f"with {again.get('replica')}" if again.get("replica") else "",
        *(f"{side} took {_took(again, key)}" for side, key in _SIDES if _took(again, key)),
    ]
    return f"{', '.join(filter(None, facts))}."


_SIDES = (("primary", "primary_ms"), ("replica", "replica_ms"))


def _took(again: Mapping[str, Any], key: str) -> str:
    value = again.get(key)
    return took(value) if isinstance(value, int | float) else ""


def _moment(again: Mapping[str, Any], key: str) -> str:
    said = again.get(key)
    return moment(parse_datetime(said) if isinstance(said, str) else None) or "some time"


def _send(app: Celery, pk: int) -> None:
    """Tell a worker. Raises ValidationError if the broker does not take the message within a short time."""
    failures: list[str] = ["it did not answer"]

    def send() -> None:
        try:
            app.send_task(
                COMPARE_ASKED,
                args=[pk],
                countdown=_COMMIT_SECONDS,
                expires=PATIENCE.total_seconds(),
                retry=False,
                ignore_result=True,
            )
        except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
            failures.append(type(error).__name__)
        else:
            failures.clear()

    thread = threading.Thread(target=send, name="readshift-ask", daemon=True)
    thread.start()
    thread.join(LONGEST_SEND_SECONDS)
    if failures:
        raise ValidationError(
            f"The broker took no message ({failures[-1]}), so no worker will compare it. Run "
            f"manage.py readshift replay {pk} instead."
        )
