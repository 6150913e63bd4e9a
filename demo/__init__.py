"""A sample project: a small shop on one primary and two streaming replicas, with visitors."""

from demo.celery import app as celery_app

__all__ = ["celery_app"]
