"""What checks and tidies up, as Celery tasks."""
