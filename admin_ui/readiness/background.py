"""Whether the broker answers, and whether beat and a worker do the housekeeping."""

import threading
from datetime import datetime, timedelta

from celery import Celery

from admin_ui.drawing.figures import duration
from admin_ui.readiness.findings import Finding, Verdict
from rollout.models import Tally
from rollout.rollup import STEPS

PART = "background"
"""The subject of what workers do."""

_BROKER_SECONDS = 2
_GRACE = timedelta(minutes=5)
_SPAN_SECONDS = STEPS[0].into_seconds


def ask_broker(app: Celery, seconds: int = _BROKER_SECONDS) -> Finding:
    """Ask an app's broker for a connection, for no longer than this."""
    title = "The broker answers"
    step = "Shadow reads are not compared, and counts are not merged. Look at the broker and at CELERY_BROKER_URL."
    said: list[str] = []

    def ask() -> None:
        said.append(_refusal(app, seconds))

    # Not every transport has a timeout. A daemon does not hold up the end of the process.
    thread = threading.Thread(target=ask, name="readshift-broker", daemon=True)
    thread.start()
    thread.join(seconds + 1)
    refusal = said[0] if said else f"did not answer within {seconds} s"
    if refusal:
        return Finding("broker", PART, title, Verdict.ATTENTION, refusal, step)
    return Finding("broker", PART, title, Verdict.PASS, "answers")


def read_housekeeping(now: datetime, using: str) -> Finding:
    """Read whether counts are merged as the schedule says. Raises what the database raises."""
    tallies = Tally.objects.using(using)
    times = tallies.filter(span_seconds__lt=_SPAN_SECONDS).order_by("starts_at").values_list("starts_at", flat=True)
    return judge_housekeeping(now, times.first(), has_merged=tallies.filter(span_seconds__gte=_SPAN_SECONDS).exists())


def judge_housekeeping(now: datetime, oldest: datetime | None, *, has_merged: bool) -> Finding:
    """Judge by the oldest count that is not merged, if there is one, whether the schedule is kept. Pure."""
    title = "Beat and a worker do the housekeeping"
    if oldest is not None and now - oldest > STEPS[0].after + _GRACE:
        fact = f"counts of {duration((now - oldest).total_seconds())} ago are not merged"
        step = "Run a worker, and beat with tasks.schedule.BEAT_SCHEDULE."
        return Finding("housekeeping", PART, title, Verdict.ATTENTION, fact, step)
    if not has_merged:
        fact = "no count is old enough to be merged" if oldest is not None else "nothing was counted yet"
        return Finding("housekeeping", PART, title, Verdict.UNKNOWN, fact, "Look again after a quarter of an hour.")
    return Finding("housekeeping", PART, title, Verdict.PASS, "counts are merged")


def _refusal(app: Celery, seconds: int) -> str:
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=seconds)
    except Exception as error:  # noqa: BLE001 - each transport raises errors of its own
        return " ".join(str(error).split()) or type(error).__name__
    return ""
