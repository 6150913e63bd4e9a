"""The project that all systems are measured with: registers that only ever count up, and documents about them."""

from benchmarks.consistency.app.celery import app as celery_app

__all__ = ["celery_app"]
