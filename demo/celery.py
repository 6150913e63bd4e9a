"""The demo's Celery app: an ordinary one, to which Readshift adds its schedule."""

import os

from celery import Celery

from tasks.schedule import BEAT_SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
app = Celery("demo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {
    **BEAT_SCHEDULE,
    "shop.refresh_bestsellers": {"task": "shop.refresh_bestsellers", "schedule": 5.0},
}
app.autodiscover_tasks()
