"""The app that checks and tidies up."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    label = "readshift_tasks"
    verbose_name = "Readshift: tasks"

    def ready(self) -> None:
        # Celery's autodiscovery would look for `tasks.tasks`. Importing here registers the tasks with every app,
        # however the host discovers its own.
        from tasks import plans, shadow, statistics  # noqa: F401, PLC0415
