"""The project's Celery app."""

from celery import Celery

app = Celery("consistency")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["benchmarks.consistency.app"])
