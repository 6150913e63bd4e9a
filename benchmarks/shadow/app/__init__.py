"""The project whose reads are captured: items on shelves, of which some are written all the time."""

from benchmarks.shadow.app.celery import app as celery_app

__all__ = ["celery_app"]
