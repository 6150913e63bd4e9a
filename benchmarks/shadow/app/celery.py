"""The project's Celery app, through which the web server tells workers of captured reads."""

from celery import Celery

app = Celery("shadow")
app.config_from_object("django.conf:settings", namespace="CELERY")
