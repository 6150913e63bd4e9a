"""A Celery app for workers that tests start."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.worker_settings")
app = Celery("tests", include=["tests.errands"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
